import NIOCore

/// The server's side of a SPDY/3.1 connection, as moby/spdystream has it, which both kubectl and the kubelet use.
///
/// That library keeps no windows: it sends no WINDOW_UPDATE and ignores one, so that a peer which waited for them would wait
/// for ever. Back-pressure is the connection's own.
struct SPDYSession: StreamTransport {
  /// More streams than this are refused; a port-forward opens two for each connection.
  static let streamLimit = 4096

  private struct Stream {
    var clientEnded: Bool
    var serverEnded: Bool
  }

  private var reader = SPDYFrameReader()
  private let unpacker = SPDYHeaderUnpacker()
  private let packer = SPDYHeaderPacker()
  private var streams: [StreamID: Stream] = [:]
  private var lastStream: StreamID = 0
  private var isFinished = false
  private var output: [ByteBuffer] = []

  var endsOutput: Bool { false }

  mutating func open() -> [StreamEvent] { [] }

  mutating func takeOutput() -> [ByteBuffer] {
    defer { self.output = [] }
    return self.output
  }

  // MARK: The client's frames

  mutating func receive(_ bytes: ByteBuffer) throws(StreamFault) -> [StreamEvent] {
    self.reader.append(bytes)
    var events: [StreamEvent] = []
    while let frame = try self.reader.next() { events += try self.receive(frame) }
    return events
  }

  private mutating func receive(_ frame: SPDYFrame) throws(StreamFault) -> [StreamEvent] {
    switch frame {
    case .synStream(let id, let flags, let block):
      // Unpacked in any case: the blocks are one zlib stream.
      return self.opened(id, flags: flags, try self.unpacker.unpack(block))
    case .synReply(_, _, let block):
      _ = try self.unpacker.unpack(block)
      return []
    case .headers(let id, let flags, let block):
      _ = try self.unpacker.unpack(block)
      return flags & SPDYFrame.isFinal != 0 ? self.clientEnded(id) : []
    case .data(let id, let bytes, let isLast):
      guard let stream = self.streams[id], !stream.clientEnded else { return [] }
      let data: [StreamEvent] = bytes.readableBytes > 0 ? [.data(id, bytes)] : []
      return isLast ? data + self.clientEnded(id) : data
    case .rstStream(let id, _):
      return self.streams.removeValue(forKey: id) == nil ? [] : [.reset(id)]
    case .ping(let id):
      // The client's have odd numbers; an even one is the answer to a ping of ours, and we send none.
      if id % 2 == 1, !self.isFinished { self.output.append(SPDYFrameWriter.ping(id)) }
      return []
    case .goAway:
      // Whoever says goodbye reads no more; an answer would only make its system reset the connection.
      self.isFinished = true
      return [.goodbye]
    case .settings, .windowUpdate, .unknown: return []
    }
  }

  private mutating func opened(_ id: StreamID, flags: UInt8, _ fields: [String: String]) -> [StreamEvent] {
    guard !self.isFinished else { return [] }
    guard id % 2 == 1, id > self.lastStream else {
      self.output.append(SPDYFrameWriter.rstStream(id, .protocolError))
      return []
    }
    self.lastStream = id
    guard self.streams.count < Self.streamLimit else {
      self.output.append(SPDYFrameWriter.rstStream(id, .refusedStream))
      return []
    }
    self.streams[id] = Stream(clientEnded: false, serverEnded: flags & SPDYFrame.isUnidirectional != 0)
    // spdystream drops the data of a stream that was not replied to.
    self.output.append(SPDYFrameWriter.synReply(id, block: self.packer.pack([])))
    let opened: [StreamEvent] = [.opened(id, fields: fields)]
    return flags & SPDYFrame.isFinal != 0 ? opened + self.clientEnded(id) : opened
  }

  private mutating func clientEnded(_ id: StreamID) -> [StreamEvent] {
    guard var stream = self.streams[id], !stream.clientEnded else { return [] }
    stream.clientEnded = true
    self.streams[id] = stream.serverEnded ? nil : stream
    return [.ended(id)]
  }

  // MARK: The server's

  mutating func send(_ bytes: ByteBuffer, on id: StreamID) {
    guard let stream = self.streams[id], !stream.serverEnded, !self.isFinished, bytes.readableBytes > 0 else { return }
    var rest = bytes
    // As large as io.Copy's pieces, which is what clients expect.
    while let piece = rest.readSlice(length: min(rest.readableBytes, 32 * 1024)), piece.readableBytes > 0 {
      self.output += SPDYFrameWriter.data(id, piece, isLast: false)
    }
  }

  mutating func end(_ id: StreamID) {
    guard var stream = self.streams[id], !stream.serverEnded, !self.isFinished else { return }
    stream.serverEnded = true
    self.output += SPDYFrameWriter.data(id, ByteBuffer(), isLast: true)
    self.streams[id] = stream.clientEnded ? nil : stream
  }

  mutating func reset(_ id: StreamID) {
    guard self.streams.removeValue(forKey: id) != nil, !self.isFinished else { return }
    self.output.append(SPDYFrameWriter.rstStream(id, .cancel))
  }

  mutating func finish() {
    guard !self.isFinished else { return }
    for id in self.streams.keys.sorted() where self.streams[id]?.serverEnded == false { self.end(id) }
    self.isFinished = true
    self.output.append(SPDYFrameWriter.goAway(lastStream: self.lastStream))
  }
}

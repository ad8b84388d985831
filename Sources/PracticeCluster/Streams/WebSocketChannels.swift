import NIOCore

import struct Foundation.Data

/// Streams over WebSocket messages: each begins with the number of its channel (`v4.channel.k8s.io` and its kin).
///
/// See kubernetes/apimachinery pkg/util/httpstream/wsstream. A channel is there from the start and cannot be ended by itself;
/// only `v5.channel.k8s.io` lets the client end one, by a message on channel 255.
struct WebSocketChannels: StreamTransport {
  struct Channel {
    let id: StreamID
    let fields: [String: String]
    /// What the server says first.
    var greeting: ByteBuffer?
  }

  /// The channel on which a client of version 5 ends another one.
  static let closeSignal: UInt8 = 255
  /// The longest message in base64, in bytes: those cannot be passed on in parts.
  static let textLimit = 4 * 1024 * 1024

  private enum Message {
    /// The channel's number was not read yet.
    case began
    case on(UInt8)
    case closeSignal
    /// Base64, held until it is whole.
    case text(ByteBuffer)
  }

  private let channels: [Channel]
  private let isBase64: Bool
  private let knowsCloseSignal: Bool
  private var reader = WebSocketReader()
  private var message: Message?
  private var endedByClient: Set<StreamID> = []
  private var isFinished = false
  private var output: [ByteBuffer] = []

  init(_ channels: [Channel], isBase64: Bool = false, knowsCloseSignal: Bool = false) {
    self.channels = channels
    self.isBase64 = isBase64
    self.knowsCloseSignal = knowsCloseSignal
  }

  var endsOutput: Bool { true }

  mutating func open() -> [StreamEvent] {
    for channel in self.channels {
      if let greeting = channel.greeting { self.write(greeting, on: channel.id) }
    }
    return self.channels.map { .opened($0.id, fields: $0.fields) }
  }

  mutating func takeOutput() -> [ByteBuffer] {
    defer { self.output = [] }
    return self.output
  }

  // MARK: The client's messages

  mutating func receive(_ bytes: ByteBuffer) throws(StreamFault) -> [StreamEvent] {
    var events: [StreamEvent] = []
    do throws(StreamFault) {
      for part in try self.reader.read(bytes) { events += try self.receive(part) }
    } catch {
      if !self.isFinished { self.output.append(WebSocketFrame.close(WebSocketFrame.protocolError)) }
      self.isFinished = true
      throw error
    }
    return events
  }

  private mutating func receive(_ part: WebSocketPart) throws(StreamFault) -> [StreamEvent] {
    switch part {
    case .begin:
      self.message = self.isBase64 ? .text(ByteBuffer()) : .began
      return []
    case .bytes(let bytes): return try self.content(bytes)
    case .end:
      defer { self.message = nil }
      guard case .text(let text) = self.message else { return [] }
      return self.decoded(text)
    case .ping(let content):
      if !self.isFinished { self.output.append(WebSocketFrame.pong(content)) }
      return []
    case .pong: return []
    case .close: return [.goodbye]
    }
  }

  private mutating func content(_ bytes: ByteBuffer) throws(StreamFault) -> [StreamEvent] {
    var bytes = bytes
    switch self.message {
    case .text(var text):
      text.writeBuffer(&bytes)
      guard text.readableBytes <= Self.textLimit else { throw StreamFault("a message that is too long") }
      self.message = .text(text)
      return []
    case .began:
      guard let channel = bytes.readInteger(as: UInt8.self) else { return [] }
      self.message = channel == Self.closeSignal && self.knowsCloseSignal ? .closeSignal : .on(channel)
      return bytes.readableBytes > 0 ? try self.content(bytes) : []
    case .on(let channel): return self.isOpen(StreamID(channel)) ? [.data(StreamID(channel), bytes)] : []
    case .closeSignal:
      guard let channel = bytes.readInteger(as: UInt8.self).map(StreamID.init), self.isOpen(channel) else { return [] }
      self.endedByClient.insert(channel)
      return [.ended(channel)]
    case nil: return []
    }
  }

  private func isOpen(_ id: StreamID) -> Bool { self.channels.contains { $0.id == id } && !self.endedByClient.contains(id) }

  private func decoded(_ text: ByteBuffer) -> [StreamEvent] {
    var text = text
    // The channel is a digit, and what follows it is base64.
    guard let digit = text.readInteger(as: UInt8.self), digit >= UInt8(ascii: "0"),
      let bytes = Data(base64Encoded: String(buffer: text)), !bytes.isEmpty
    else { return [] }
    let channel = StreamID(digit - UInt8(ascii: "0"))
    return self.isOpen(channel) ? [.data(channel, ByteBuffer(bytes: bytes))] : []
  }

  // MARK: The server's

  mutating func send(_ bytes: ByteBuffer, on stream: StreamID) {
    guard !self.isFinished, bytes.readableBytes > 0 else { return }
    var rest = bytes
    while let piece = rest.readSlice(length: min(rest.readableBytes, 32 * 1024)), piece.readableBytes > 0 {
      self.write(piece, on: stream)
    }
  }

  private mutating func write(_ bytes: ByteBuffer, on stream: StreamID) {
    if self.isBase64 {
      self.output.append(WebSocketFrame.text("\(stream)" + Data(bytes.readableBytesView).base64EncodedString()))
    } else {
      self.output += WebSocketFrame.binary(bytes, prefix: UInt8(truncatingIfNeeded: stream))
    }
  }

  // A channel has no end of its own on the wire.
  mutating func end(_ stream: StreamID) {}
  mutating func reset(_ stream: StreamID) {}

  mutating func finish() {
    guard !self.isFinished else { return }
    self.isFinished = true
    self.output.append(WebSocketFrame.close(WebSocketFrame.normalClosure))
  }
}

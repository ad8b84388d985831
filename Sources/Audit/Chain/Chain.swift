package import NIOCore

/// The end of a chain of records, and how the next one is joined to it.
///
/// A record comes as ``AuditRecord/encode(into:at:)`` writes it, `…}}` and a newline, and leaves with two annotations more:
/// its number in the series, and the link over everything before. A line that is changed, taken out, put in or moved
/// no longer fits the links around it.
package struct Chain: Sendable, Equatable {
  /// The link of the last record.
  package var value: ChainValue
  /// The number of the last record; the first of a series has 1.
  package var sequence: UInt64

  package static let start = Chain(value: .none, sequence: 0)

  /// What closes every record: the object of annotations, and the event.
  static let ending: StaticString = "}}\n"
  private static let endingLength = 3
  static let sequenceKey: StaticString = #","sallyport.dev/sequence":""#
  static let signatureKey: StaticString = #"","sallyport.dev/signature":""#
  static let chainKey: StaticString = #","sallyport.dev/chain":""#
  /// More than a seal ever adds: both keys, twenty digits, the link, three quotes.
  private static let sealLength = 160

  /// Whether the bytes end as a record does.
  static func isRecord(_ lines: UnsafeRawBufferPointer) -> Bool {
    lines.count > self.endingLength && lines[lines.count - 3] == UInt8(ascii: "}") && lines[lines.count - 2] == UInt8(ascii: "}")
      && lines[lines.count - 1] == UInt8(ascii: "\n")
  }

  /// Joins records to the chain, in their order, and appends their lines to `output`.
  ///
  /// - Returns: `false` where a line is no record; nothing is sealed then, and what was appended means nothing
  mutating func seal(_ lines: UnsafeRawBufferPointer, into output: inout ByteBuffer) -> Bool {
    var end = self
    var start = 0
    while start < lines.count {
      guard let length = lines.lineLength(from: start) else { return false }
      let line = UnsafeRawBufferPointer(rebasing: lines[start..<(start + length)])
      guard Self.isRecord(line) else { return false }
      end.append(UnsafeRawBufferPointer(rebasing: line.dropLast(Self.endingLength)), to: &output)
      start += length
    }
    self = end
    return true
  }

  /// Joins one of the log's own events, which carries a signature over itself and everything before.
  ///
  /// - Parameter event: its line up to the two braces
  mutating func seal(_ event: UnsafeRawBufferPointer, signedBy key: CheckpointKey, into output: inout ByteBuffer) {
    var line = LineBytes()
    line.write(event)
    line.write(Self.sequenceKey)
    line.writeDecimal(self.sequence + 1)
    let signature = line.withBytes { key.signature(of: $0, after: self.value) }
    line.write(Self.signatureKey)
    line.writeText(signature, limit: CheckpointKey.signatureLength)
    line.write("\"")
    self.sequence += 1
    self.value = line.withBytes { self.value.next($0) }
    line.write(Self.chainKey)
    line.write(count: ChainValue.digits) { self.value.write(to: $0) }
    line.write("\"")
    line.write(Self.ending)
    line.withBytes { _ = output.writeBytes($0) }
  }

  private mutating func append(_ body: UnsafeRawBufferPointer, to output: inout ByteBuffer) {
    self.sequence += 1
    output.writeWithUnsafeMutableBytes(minimumWritableBytes: body.count + Self.sealLength + Self.endingLength) { place in
      place.copyMemory(from: body)
      var length = body.count
      place.set(Self.sequenceKey, at: &length)
      place.setDecimal(self.sequence, at: &length)
      place[length] = UInt8(ascii: "\"")
      length += 1
      self.value = self.value.next(UnsafeRawBufferPointer(rebasing: place[..<length]))
      place.set(Self.chainKey, at: &length)
      self.value.write(to: UnsafeMutableRawBufferPointer(rebasing: place[length...]))
      length += ChainValue.digits
      place[length] = UInt8(ascii: "\"")
      length += 1
      place.set(Self.ending, at: &length)
      return length
    }
  }
}

extension UnsafeRawBufferPointer {
  /// How many whole lines there are.
  var lineCount: Int {
    var (lines, start) = (0, 0)
    while let length = self.lineLength(from: start) {
      lines += 1
      start += length
    }
    return lines
  }

  /// The length of the line that begins at `start`, with its newline; `nil` where there is none.
  package func lineLength(from start: Int) -> Int? {
    guard start < self.count, let base = self.baseAddress else { return nil }
    return firstNewline(base + start, self.count - start).map { $0 + 1 }
  }
}

extension UnsafeMutableRawBufferPointer {
  @inline(__always)
  fileprivate func set(_ text: StaticString, at position: inout Int) {
    (self.baseAddress! + position).copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)  // room was asked for
    position += text.utf8CodeUnitCount
  }

  fileprivate func setDecimal(_ number: UInt64, at position: inout Int) {
    var length = 1
    var limit: UInt64 = 10
    while number >= limit, length < 20 {
      length += 1
      let (next, overflow) = limit.multipliedReportingOverflow(by: 10)
      if overflow { break }
      limit = next
    }
    var rest = number
    for index in stride(from: position + length - 1, through: position, by: -1) {
      self[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    position += length
  }
}

/// What sealing alone costs, for `make bench`.
package enum SealingMeasure {
  package static func seal(_ lines: ByteBuffer, times: Int) {
    var chain = Chain.start
    var output = ByteBuffer()
    for _ in 0..<times {
      output.clear()
      _ = lines.withUnsafeReadableBytes { chain.seal($0, into: &output) }
    }
  }
}

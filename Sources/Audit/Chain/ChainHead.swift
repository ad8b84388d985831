/// How far a series is known to have come: the last event that was signed, kept in a file of its own beside the log.
///
/// A log that was cut, or put back to an older state, ends before its head.
package struct ChainHead: Sendable, Equatable {
  package let chain: Chain
  /// The number of the file that the event is in.
  package let file: UInt64

  package static func fileName(_ series: AuditSeries) -> String { ".\(series.rawValue).head" }

  /// Reads a head: the link before the event in hexadecimal digits, a blank, and the event's line as it stands in the log.
  package init?(_ text: UnsafeRawBufferPointer, signedBy key: CheckpointPublicKey) {
    guard text.count > ChainValue.digits, text[ChainValue.digits] == UInt8(ascii: " "),
      let previous = ChainValue(hexadecimal: UnsafeRawBufferPointer(rebasing: text[..<ChainValue.digits]))
    else { return nil }
    let line = UnsafeRawBufferPointer(rebasing: text[(ChainValue.digits + 1)...])
    guard let sealed = SealedLine(line), let signed = sealed.signed, previous.next(sealed.body) == sealed.value,
      key.isValid(signed.signature, of: signed.body, after: previous), let file = EventFacts(line)?.number("file")
    else { return nil }
    self.chain = Chain(value: sealed.value, sequence: sealed.sequence)
    self.file = file
  }
}

/// The annotations of one of the log's own events, found without a JSON reader: their values are made by this program and
/// hold nothing that would be escaped.
package struct EventFacts {
  private let line: UnsafeRawBufferPointer
  package let kind: LogEvent.Kind

  /// - Returns: `nil` for a record that is none of the log's own
  package init?(_ line: UnsafeRawBufferPointer) {
    // Everything in front of it is as long in every event, so that nothing has to be searched for in other records.
    guard line.has(Self.key, at: Self.position) else { return nil }
    let start = Self.position + Self.key.utf8CodeUnitCount
    guard let end = line[start...].firstIndex(of: UInt8(ascii: "\"")),
      let kind = LogEvent.Kind(rawValue: String(decoding: line[start..<end], as: UTF8.self))
    else { return nil }
    self.kind = kind
    self.line = UnsafeRawBufferPointer(rebasing: line[start...])
  }

  private static let key: StaticString = #""annotations":{"sallyport.dev/event":""#
  private static let position: Int = {
    var line = LineBytes()
    LogEvent(.checkpoint, []).encode(into: &line, id: AuditID(), at: WallTime(nanosecondsSinceEpoch: 0))
    return line.withBytes { $0.end(of: key)! } - key.utf8CodeUnitCount  // every event has it
  }()

  package func text(_ name: String) -> String? {
    let key = Array("\"sallyport.dev/\(name)\":\"".utf8)
    guard let start = self.line.end(of: key), let end = self.line[start...].firstIndex(of: UInt8(ascii: "\"")) else { return nil }
    return String(decoding: self.line[start..<end], as: UTF8.self)
  }

  package func number(_ name: String) -> UInt64? { self.text(name).flatMap(UInt64.init) }
  package func chain(_ name: String) -> ChainValue? { self.text(name).flatMap { ChainValue($0) } }
}

extension UnsafeRawBufferPointer {
  func end(of text: StaticString) -> Int? {
    self.end(of: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  fileprivate func end(of text: [UInt8]) -> Int? { text.withUnsafeBytes { self.end(of: $0) } }

  /// Where the first occurrence of a text ends.
  private func end(of text: UnsafeRawBufferPointer) -> Int? {
    guard text.count <= self.count else { return nil }
    for start in 0...(self.count - text.count) where self[start] == text[0] {
      if UnsafeRawBufferPointer(rebasing: self[start..<(start + text.count)]).elementsEqual(text) { return start + text.count }
    }
    return nil
  }
}

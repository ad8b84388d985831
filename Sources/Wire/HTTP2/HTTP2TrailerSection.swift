/// Reads the field section that ends an HTTP/2 request behind its body, by the same rules as HTTP/1.1's trailers: none
/// may be of a kind that decides, for everything was decided before it came.
public struct HTTP2TrailerSection {
  private var lines: HTTP2FieldLines

  public init(limits: MessageLimits) {
    self.lines = HTTP2FieldLines(sizeLimit: limits.trailerBytes, countLimit: limits.fieldCount)
  }

  /// Reads the next field.
  ///
  /// - Throws: ``MalformedMessage`` with status 400, or 431 for a section that is too large
  public mutating func add(_ name: String, _ value: String) throws(MalformedMessage) {
    try self.lines.count(name, value)
    guard name.utf8.first != UInt8(ascii: ":") else { throw MalformedMessage("A pseudo-header stands among the trailers.") }
    if let fault = HTTP2FieldLines.fault(ofValue: value) { throw fault }
    if let known = try HTTP2FieldLines.kind(of: name), !TrailerSection.admits(known) { throw .unfitTrailer }
    try self.lines.append(name, value)
  }

  public var trailers: HeaderFields { self.lines.fields }
}

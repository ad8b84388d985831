/// Holds the DATA of an HTTP/2 request against the length that its head stated: they must agree, since behind us the
/// stated length is all that divides this body from the next request (RFC 9113 section 8.1.1).
public struct HTTP2BodyLength: Sendable {
  /// What is still to come; `nil` where no length was stated.
  private var remaining: UInt64?

  public init(_ framing: BodyFraming) {
    switch framing {
    case .none: self.remaining = 0
    case .length(let length): self.remaining = length
    case .chunked, .untilClose: self.remaining = nil
    }
  }

  /// Takes bytes that came.
  ///
  /// - Throws: ``MalformedMessage`` with status 400 when they are more than was stated
  public mutating func receive(_ count: Int) throws(MalformedMessage) {
    guard let remaining = self.remaining else { return }
    guard UInt64(count) <= remaining else { throw .bodyLongerThanStated }
    self.remaining = remaining - UInt64(count)
  }

  /// The body is over.
  ///
  /// - Throws: ``MalformedMessage`` with status 400 when it is shorter than was stated
  public func end() throws(MalformedMessage) {
    guard (self.remaining ?? 0) == 0 else { throw .bodyShorterThanStated }
  }
}

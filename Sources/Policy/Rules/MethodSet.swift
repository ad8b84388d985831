public import SallyportWire

/// Methods of HTTP that a selector is narrowed to.
public struct MethodSet: Sendable, Hashable {
  /// `nil` for every method.
  public let methods: [Method]?

  public static let all = MethodSet(nil)

  public init(_ methods: [Method]?) {
    self.methods = methods
  }

  /// Whether a deny of these methods means the request.
  ///
  /// HEAD is GET without the body (RFC 9110 section 9.3.2), and many servers answer it with the same code.
  func denies(_ method: Method) -> Bool {
    guard let methods = self.methods else { return true }
    return methods.contains(method) || method == .head && methods.contains(.get)
  }

  /// Whether an allow of these methods means the request.
  func allows(_ method: Method) -> Bool {
    self.methods?.contains(method) ?? true
  }

  /// The words that a rule may write.
  static let words: [String] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
}

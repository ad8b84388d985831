/// How much of each value goes into a record, in bytes unless it is a count.
///
/// Whatever a client can make long is cut, on a boundary of UTF-8, and `sallyport.dev/truncated` names it: one request
/// cannot make the log grow by more than some hundred kilobytes, whatever it sends.
enum RecordLimits {
  /// The request URI after redaction. When it is cut, its length and SHA-256 are annotations.
  static let requestURI = 8 * 1024
  static let userAgent = 512
  static let method = 32
  /// A user name, a UID, one group, an object's name or namespace, one extra key or value.
  static let name = 1024
  static let groups = 256
  static let extraKeys = 64
  /// All groups of a user, and all keys and values of a user's extra attributes, together.
  static let listBytes = 16 * 1024
  static let originFacts = 32
  static let message = 2 * 1024
  static let clientAuditID = 256
}

/// Which values of a record were cut; written as `sallyport.dev/truncated`, separated by commas.
struct CutFields: OptionSet {
  let rawValue: UInt32

  static let requestURI = CutFields(rawValue: 1 << 0)
  static let verb = CutFields(rawValue: 1 << 1)
  static let user = CutFields(rawValue: 1 << 2)
  static let impersonatedUser = CutFields(rawValue: 1 << 3)
  static let userAgent = CutFields(rawValue: 1 << 4)
  static let objectRef = CutFields(rawValue: 1 << 5)
  static let responseStatus = CutFields(rawValue: 1 << 6)
  static let annotations = CutFields(rawValue: 1 << 7)

  static let names: [(field: CutFields, name: StaticString)] = [
    (.requestURI, "requestURI"), (.verb, "verb"), (.user, "user"), (.impersonatedUser, "impersonatedUser"), (.userAgent, "userAgent"),
    (.objectRef, "objectRef"), (.responseStatus, "responseStatus"), (.annotations, "annotations"),
  ]
}

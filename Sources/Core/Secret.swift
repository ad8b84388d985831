/// Bytes that must not be seen: a password, a token, a key.
///
/// The value does not print itself, is in no error and no log, and compares in a time that does not depend on where two
/// values differ. Whoever needs the bytes says so by ``withBytes(_:)``.
public struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  private let bytes: [UInt8]

  public init(_ bytes: some Sequence<UInt8>) {
    self.bytes = Array(bytes)
  }

  public var isEmpty: Bool { self.bytes.isEmpty }
  public var count: Int { self.bytes.count }

  public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try self.bytes.withUnsafeBytes(body)
  }

  public var description: String { "<secret>" }
  public var debugDescription: String { "<secret>" }
  public var customMirror: Mirror { Mirror(self, children: []) }

  public static func == (left: Secret, right: Secret) -> Bool {
    guard left.bytes.count == right.bytes.count else { return false }
    var difference: UInt8 = 0
    for index in left.bytes.indices { difference |= left.bytes[index] ^ right.bytes[index] }
    return difference == 0
  }
}

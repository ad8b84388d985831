public import NIOCore

/// Bytes that must not be seen: a password, a token, a key.
///
/// The value does not print itself, is in no error and no log, and compares in a time that does not depend on where two
/// values differ. Whoever needs the bytes says so by ``withBytes(_:)``.
public struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  private let bytes: ByteBuffer

  public init(_ bytes: some Sequence<UInt8>) {
    self.bytes = ByteBuffer(bytes: Array(bytes))
  }

  /// The readable bytes of a buffer, which is kept and not copied.
  public init(sharing buffer: ByteBuffer) {
    self.bytes = buffer
  }

  public var isEmpty: Bool { self.bytes.readableBytes == 0 }
  public var count: Int { self.bytes.readableBytes }

  public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try self.bytes.withUnsafeReadableBytes(body)
  }

  public var description: String { "<secret>" }
  public var debugDescription: String { "<secret>" }
  public var customMirror: Mirror { Mirror(self, children: []) }

  public static func == (left: Secret, right: Secret) -> Bool {
    left.withBytes { left in
      right.withBytes { right in
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for index in left.indices { difference |= left[index] ^ right[index] }
        return difference == 0
      }
    }
  }
}

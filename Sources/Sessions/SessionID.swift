import Crypto
public import SallyportCore
import SallyportJOSE

/// What a browser has of its session: 256 bits that nobody can guess and that say nothing. Whoever has it is let in, so that
/// it is kept nowhere here.
public struct SessionID: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
  static let byteCount = 32
  /// The length of the text: base64url without padding.
  static let textLength = 43

  let bytes: [UInt8]

  /// A new one.
  public static func random() -> SessionID {
    // A key is taken from the system's generator for secrets.
    SessionID(bytes: SymmetricKey(size: .init(bitCount: self.byteCount * 8)).withUnsafeBytes { Array($0) })
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  /// Reads the value of a cookie.
  ///
  /// - Returns: `nil` for what was never given out: another length, another alphabet, a second spelling of the same bytes
  public init?(reading value: Secret) {
    guard value.count == Self.textLength, let bytes = value.withBytes({ Base64URL.decode(Array($0)) }), bytes.count == Self.byteCount,
      value.withBytes({ $0.elementsEqual(Base64URL.encode(bytes).utf8) })
    else { return nil }
    self.bytes = bytes
  }

  /// The value of the cookie.
  public var text: Secret { Secret(Base64URL.encode(self.bytes).utf8) }

  public var description: String { "<session>" }
  public var customMirror: Mirror { Mirror(self, children: []) }

  public static func == (left: SessionID, right: SessionID) -> Bool { Secret(left.bytes) == Secret(right.bytes) }
}

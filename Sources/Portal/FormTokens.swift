public import Crypto
public import Foundation
public import SallyportCore
import SallyportJOSE

/// The tokens by which a form shows that it is one of ours, shown to this very browser (cross-site request forgery).
///
/// A browser gets a random cookie with the first page, and each form a MAC over that cookie, what the form is for and when it
/// ends. Another site can have the browser send the cookie but neither read it nor plant one of its own (`__Host-`), and so
/// has no token that goes with it. Nothing is kept here, so that any number of tabs may be open.
public struct FormTokens: Sendable {
  /// What a form does; a token for one is none for another.
  public enum Purpose: String, Sendable {
    case signIn = "sign-in"
    case signOut = "sign-out"
  }

  /// How long a page may stay open before its form is sent.
  static let lifetime = 3600.0
  private static let cookieBytes = 32

  private let key: SymmetricKey

  public init(key: SymmetricKey) { self.key = key }

  /// Keys of this process alone.
  public static func random() -> FormTokens { FormTokens(key: SymmetricKey(size: .bits256)) }

  /// A new value for a browser's cookie.
  public static func newCookie() -> Secret {
    Secret(Base64URL.encode(SymmetricKey(size: .init(bitCount: self.cookieBytes * 8)).withUnsafeBytes { Array($0) }).utf8)
  }

  /// The cookie that a browser presented, if it is one that was given out.
  public static func cookie(among presented: [Secret]) -> Secret? {
    guard presented.count == 1, let cookie = presented.first, cookie.count == 43,
      cookie.withBytes({ Base64URL.decode(Array($0)) })?.count == self.cookieBytes
    else { return nil }
    return cookie
  }

  /// A token for a form that is shown now.
  public func token(for purpose: Purpose, cookie: Secret, at now: Date) -> String {
    let end = UInt64(max(0, now.timeIntervalSince1970 + Self.lifetime))
    return Base64URL.encode(Self.bytes(of: end) + Array(self.code(purpose, cookie, end)))
  }

  /// Whether a token was given to this browser for this purpose, and not too long ago.
  public func isGood(_ token: Secret?, for purpose: Purpose, cookie: Secret?, at now: Date) -> Bool {
    guard let token, let cookie, token.count == 54, let bytes = token.withBytes({ Base64URL.decode(Array($0)) }), bytes.count == 40 else {
      return false
    }
    let end = bytes[..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard now.timeIntervalSince1970 < Double(end) else { return false }
    return HMAC<SHA256>.isValidAuthenticationCode(bytes[8...], authenticating: Self.message(purpose, cookie, end), using: self.key)
  }

  private func code(_ purpose: Purpose, _ cookie: Secret, _ end: UInt64) -> HMAC<SHA256>.MAC {
    HMAC<SHA256>.authenticationCode(for: Self.message(purpose, cookie, end), using: self.key)
  }

  /// Each part behind its length, so that no two triples are one message.
  private static func message(_ purpose: Purpose, _ cookie: Secret, _ end: UInt64) -> Data {
    let purpose = Array(purpose.rawValue.utf8)
    return Data(
      self.bytes(of: UInt64(purpose.count)) + purpose + self.bytes(of: UInt64(cookie.count)) + cookie.withBytes { Array($0) }
        + self.bytes(of: end))
  }

  private static func bytes(of number: UInt64) -> [UInt8] { withUnsafeBytes(of: number.bigEndian, Array.init) }
}

import Crypto
public import Foundation
public import SallyportCore
import SallyportJOSE

/// A sign-in that leads by way of an OpenID provider: what must come back, and what is shown to the provider for it.
///
/// ``state`` ties what comes back to this browser (RFC 6749 section 10.12), ``nonce`` the id_token to this sign-in (OpenID Connect
/// Core section 3.1.2.1), ``verifier`` the code to whoever has asked for it (RFC 7636). Each is 256 random bits.
public struct SignInFlow: Sendable, CustomStringConvertible, CustomReflectable {
  public let state: Secret
  public let nonce: Secret
  public let verifier: Secret
  /// Which provider, by its issuer.
  public let issuer: String
  /// Where the provider sends the browser back to.
  public let redirectURI: String
  /// Where one goes on to, as ``ReturnTarget`` has checked it.
  public let target: String
  public let began: Date

  /// How long the provider's page may stay open, in seconds.
  public static let lifetime = 600.0

  /// So many cookies with longer ones would not fit into a request's head.
  static let longestTarget = 1024

  /// - Parameter target: checked; a very long one leads to `/`
  public static func begin(at issuer: String, redirectURI: String, returningTo target: String, at now: Date) -> SignInFlow {
    SignInFlow(
      state: Self.random(), nonce: Self.random(), verifier: Self.random(), issuer: issuer, redirectURI: redirectURI,
      target: target.utf8.count <= Self.longestTarget ? target : ReturnTarget.root, began: now)
  }

  init(state: Secret, nonce: Secret, verifier: Secret, issuer: String, redirectURI: String, target: String, began: Date) {
    self.state = state
    self.nonce = nonce
    self.verifier = verifier
    self.issuer = issuer
    self.redirectURI = redirectURI
    self.target = target
    self.began = began
  }

  /// A key is taken from the system's generator for secrets. 43 characters of base64url are a `code-verifier`, too.
  private static func random() -> Secret {
    Secret(Base64URL.encode(SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }).utf8)
  }

  /// `code_challenge` by the method S256.
  public var challenge: String { Base64URL.encode(Array(SHA256.hash(data: self.verifier.withBytes { Array($0) }))) }

  /// By what its cookie is named: the beginning of the state, which says nothing of the rest.
  public var name: String { self.state.withBytes { String(decoding: $0.prefix(Self.nameLength), as: UTF8.self) } }
  static let nameLength = 8

  public func isOver(at now: Date) -> Bool {
    let age = now.timeIntervalSince(self.began)
    // One from the future is of a clock that was set back.
    return age >= Self.lifetime || age < -60
  }

  public var description: String { "<sign-in by \(self.issuer)>" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}

extension SignInFlow: Codable {
  private enum Key: String, CodingKey {
    case state, nonce, verifier, issuer, redirectURI, target, began
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    func secret(_ key: Key) throws -> Secret { Secret(try values.decode(String.self, forKey: key).utf8) }
    self.init(
      state: try secret(.state), nonce: try secret(.nonce), verifier: try secret(.verifier),
      issuer: try values.decode(String.self, forKey: .issuer), redirectURI: try values.decode(String.self, forKey: .redirectURI),
      target: try values.decode(String.self, forKey: .target), began: try values.decode(Date.self, forKey: .began))
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    func put(_ secret: Secret, _ key: Key) throws {
      try values.encode(secret.withBytes { String(decoding: $0, as: UTF8.self) }, forKey: key)
    }
    try put(self.state, .state)
    try put(self.nonce, .nonce)
    try put(self.verifier, .verifier)
    try values.encode(self.issuer, forKey: .issuer)
    try values.encode(self.redirectURI, forKey: .redirectURI)
    try values.encode(self.target, forKey: .target)
    try values.encode(self.began, forKey: .began)
  }
}

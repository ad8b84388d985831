import Foundation
import NIOConcurrencyHelpers
import NIOCore
@_spi(Authenticator) import SallyportCore
import SallyportSessions

/// Whom a session stands for and how that is looked at again: what is sealed into it.
struct SignedIn: Sendable, Codable, Equatable {
  /// What the user signed in by, and what must still hold of it.
  enum Proof: Sendable, Codable, Equatable {
    /// The certificate with this fingerprint, which the session's connections show, too.
    case certificate(fingerprint: String)
    /// A user of a password file.
    case passwordFile
    /// A user whom a store finds again by itself.
    case account(Identity.Account)
    /// A user of a store that finds nobody without the password.
    case passwordAlone(store: [UInt8])
    /// A user whom an OpenID provider vouched for.
    case provider(ProviderProof)
  }

  struct Extra: Sendable, Codable, Equatable {
    let key: String
    let values: [String]
  }

  let username: String
  let uid: String?
  let groups: [String]
  let extra: [Extra]
  let method: String
  let origin: [[String]]
  let verifier: [UInt8]
  /// What the provider's token said; `nil` for who signed in otherwise.
  let token: Identity.TokenClaims?
  var proof: Proof
  /// When the store or the provider was asked who this is.
  let looked: Date
  /// Where the user signed in from, for the operator; `nil` where that is not known.
  let address: String?

  init(_ identity: Identity, _ proof: Proof, looked: Date, from address: String?) {
    self.username = identity.username
    self.uid = identity.uid
    self.groups = identity.groups
    self.extra = identity.extra.map { Extra(key: $0.key, values: $0.values) }
    self.method = identity.method.rawValue
    self.origin = identity.origin.map { [$0.name, $0.value] }
    self.verifier = identity.verifier
    self.token = identity.token?.outlivingTheToken
    self.proof = proof
    self.looked = looked
    self.address = address
  }

  /// The value as it is sealed.
  var bytes: [UInt8] {
    // Texts, numbers and lists of them always encode; a session that cannot be read again is none.
    (try? JSONEncoder().encode(self)).map(Array.init) ?? []
  }

  /// Whom the store or the provider has named, as it was then.
  func user(_ method: AuthenticationMethod) -> Identity {
    Identity(
      username: self.username, uid: self.uid, groups: self.groups,
      extra: self.extra.map { Identity.Extra(key: $0.key, values: $0.values) }, method: method,
      origin: self.origin.compactMap { $0.count == 2 ? Identity.Fact($0[0], $0[1]) : nil }, verifier: self.verifier, token: self.token)
  }

  init?(bytes: [UInt8]) {
    guard let read = try? JSONDecoder().decode(SignedIn.self, from: Data(bytes)) else { return nil }
    self = read
  }
}

/// A session that was found, with the identity that it stands for: one object as long as nothing about it changes.
public final class OpenSession: Sendable {
  let facts: SessionFacts
  let signedIn: SignedIn
  let identity: Identity
  /// When the store may be asked in the background again.
  private let nextLook = NIOLockedValueBox(NIODeadline.uptimeNanoseconds(0))

  /// How long a look that has begun, and may fail, is not repeated.
  private static let pause = TimeAmount.seconds(5)

  /// Whether the caller is the one who looks.
  func claimLook(at now: NIODeadline) -> Bool {
    self.nextLook.withLockedValue { next in
      guard now >= next else { return false }
      next = now + Self.pause
      return true
    }
  }

  init?(_ bytes: [UInt8], _ facts: SessionFacts) {
    guard let signedIn = SignedIn(bytes: bytes), let method = AuthenticationMethod(rawValue: signedIn.method) else { return nil }
    self.facts = facts
    self.signedIn = signedIn
    let session = Identity.Session(key: facts.key.bytes, signedInBy: method, began: facts.began)
    self.identity = Identity(
      username: signedIn.username, uid: signedIn.uid, groups: signedIn.groups,
      extra: signedIn.extra.map { Identity.Extra(key: $0.key, values: $0.values) }, method: .session,
      origin: [Identity.Fact("session", session.handle), Identity.Fact("signedInBy", signedIn.method)]
        + signedIn.origin.compactMap { $0.count == 2 ? Identity.Fact($0[0], $0[1]) : nil },
      expires: facts.ends, verifier: signedIn.verifier, token: signedIn.token, session: session)
  }
}

extension Identity.TokenClaims {
  /// The same without an end: what a provider says when it is asked again counts, not how long its last token was good.
  fileprivate var outlivingTheToken: Identity.TokenClaims {
    Identity.TokenClaims(
      issuer: self.issuer, audiences: self.audiences, scopes: self.scopes, authenticated: self.authenticated, methods: self.methods,
      email: self.email, stated: self.stated)
  }
}

import SallyportCore
import SallyportJOSE
import SallyportJSON

/// What an endpoint answered with, not judged yet.
enum IntrospectionAnswer: Sendable, Equatable {
  case json(JSONValue)
  /// A JWT, in the compact form as it came.
  case signed(Secret)
  /// Status 204: there is no token to answer with.
  case nothing
}

/// Reads signed answers: who signed them, for whom, and what stands in them.
struct SignedIntrospection: Sendable {
  /// Why there is nothing to be learned of an answer.
  struct Fault: Error, Equatable {
    let description: String
    init(_ description: String) { self.description = description }
  }

  /// An answer is made for the question; one of long ago is somebody's recording, in seconds.
  private static let oldest = 300.0

  let rules: TokenRules
  let clientID: String

  /// Reads the answer of RFC 9701 section 5: `iss`, `aud` and `iat` are the answer's own, and what is said of the token stands in
  /// `token_introspection`.
  ///
  /// - Returns: the members of the answer, with the answer's `iss` where they name none
  func members(of answer: SignedToken, at now: Double) throws(Fault) -> [String: JSONValue] {
    let claims = answer.claims
    guard let issuer = claims["iss"]?.string, issuer.utf8.elementsEqual(self.rules.issuer.utf8) else {
      throw Fault("the signed answer's iss is not the issuer's")
    }
    let audiences = claims["aud"].flatMap { value in value.string.map { [$0] } ?? value.strings } ?? []
    // The standard has it for the one that asked. Some providers, following its drafts, name the resource that the token is for.
    let own = self.rules.audiences + [self.clientID]
    guard audiences.contains(where: { audience in own.contains { $0.utf8.elementsEqual(audience.utf8) } }) else {
      throw Fault("the signed answer is for somebody else: its aud is neither the gateway's clientID nor one of the audiences")
    }
    guard let issued = Self.seconds(claims["iat"]) else { throw Fault("the signed answer has no iat") }
    guard issued < now + ClaimsReader.leeway, issued > now - Self.oldest else { throw Fault("the signed answer is not of now (iat)") }
    guard var members = claims["token_introspection"]?.object else { throw Fault("the signed answer has no token_introspection") }
    if members["iss"] == nil { members["iss"] = .string(issuer) }
    return members
  }

  private static func seconds(_ value: JSONValue?) -> Double? {
    switch value {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }
}

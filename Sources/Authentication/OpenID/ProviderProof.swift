import SallyportCore

import struct Foundation.Date

/// What an OpenID provider vouched for, and by what it is asked again; sealed with the session.
struct ProviderProof: Sendable, Codable, Equatable {
  /// The provider and its rules: ``OpenIDProvider/verifier(allowing:)``.
  let provider: [UInt8]
  let issuer: String
  let subject: String
  let nonce: SealedSecret
  /// `nil`: the provider gave none, and cannot be asked again.
  var refreshToken: SealedSecret?
  /// The last id_token, by which the provider knows whom to sign out; `nil` for a very long one.
  var idToken: SealedSecret?
  /// When a gateway began to ask by the refresh token, which may be good for one question alone: nobody else asks meanwhile.
  var renewing: Date?

  /// Longer ones are not kept: they would stand in the address of the provider's page.
  static let longestHint = 4096

}

/// A secret in a value that is sealed as a whole; it does not print itself.
struct SealedSecret: Sendable, Codable, Equatable, CustomStringConvertible {
  let value: Secret

  init(_ value: Secret) { self.value = value }

  init(from decoder: any Decoder) throws { self.value = Secret(try decoder.singleValueContainer().decode(String.self).utf8) }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(self.value.withBytes { String(decoding: $0, as: UTF8.self) })
  }

  var description: String { "<secret>" }
}

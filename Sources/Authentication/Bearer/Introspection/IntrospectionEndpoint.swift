public import SallyportCore

/// Where opaque tokens are asked about (RFC 7662), and what the answers must say.
public struct IntrospectionEndpoint: Sendable {
  /// How the gateway says who it is (RFC 6749 section 2.3.1).
  public enum ClientAuthentication: String, Sendable, CaseIterable {
    case basic, post
  }

  public var url: String
  public var clientID: String
  public var clientSecret: Secret
  public var clientAuthentication: ClientAuthentication
  /// PEM, the authorities of the endpoint's certificate; `nil` for the system's.
  public var certificateAuthority: String?
  /// Whether tokens may travel without TLS.
  public var insecurePlaintext: Bool
  /// For one question.
  public var timeout: Duration
  /// ``TokenRules/issuer`` empty: `iss` is not judged. ``TokenRules/audiences`` empty: neither is `aud`.
  public var rules: TokenRules

  public init(
    url: String, clientID: String, clientSecret: Secret, clientAuthentication: ClientAuthentication = .basic,
    certificateAuthority: String? = nil, insecurePlaintext: Bool = false, timeout: Duration = .seconds(5), rules: TokenRules
  ) {
    self.url = url
    self.clientID = clientID
    self.clientSecret = clientSecret
    self.clientAuthentication = clientAuthentication
    self.certificateAuthority = certificateAuthority
    self.insecurePlaintext = insecurePlaintext
    self.timeout = timeout
    self.rules = rules
  }

  /// - Throws: ``Problem`` where the endpoint's authorities cannot be read
  public func check() throws(Problem) {
    do throws(ProviderFault) {
      _ = try ProviderConnection(certificateAuthority: self.certificateAuthority, insecurePlaintext: self.insecurePlaintext)
    } catch {
      throw Problem(
        "tokenIssuerBroken", blame: .operator, status: 500, message: "The gateway is not configured rightly.",
        detail: "introspection at \(self.url): \(error)")
    }
  }
}

public import SallyportCore
public import SallyportJOSE

/// Where opaque tokens are asked about (RFC 7662), and what the answers must say.
public struct IntrospectionEndpoint: Sendable {
  /// How the gateway says who it is.
  public enum ClientAuthentication: Sendable {
    /// By a secret in the `Authorization` field (RFC 6749 section 2.3.1).
    case basic(Secret)
    /// By a secret in the form.
    case post(Secret)
    /// By an assertion of its own key (RFC 7523), for this audience.
    case privateKeyJWT(ClientAssertionKey, audience: String)

    /// - Parameters:
    ///   - pem: the gateway's private key
    ///   - keyID: the name by which the provider knows its public half
    /// - Throws: ``Problem`` that says what is wrong with the key, and holds nothing of it
    public static func privateKeyJWT(pem: String, keyID: String?, audience: String) throws(Problem) -> Self {
      do throws(ClientAssertionKey.Fault) {
        return .privateKeyJWT(try ClientAssertionKey(pem: pem, keyID: keyID), audience: audience)
      } catch {
        throw Problem(
          "clientKeyBroken", blame: .operator, status: 500, message: "The gateway is not configured rightly.", detail: error.description)
      }
    }
  }

  /// What the endpoint answers with. Another form than the one that is asked for is no answer: what is not signed does not
  /// stand in for what is.
  public enum Answer: Sendable {
    /// JSON, which TLS alone vouches for.
    case json
    /// A JWT of the type `token-introspection+jwt`, in which the JSON stands (RFC 9701), by a key of the rules' issuer.
    case introspectionJWT(TokenIssuer.Provider)
    /// The token that the opaque one stands for, as the issuer would sign it (`application/jwt`).
    case tokenJWT(TokenIssuer.Provider)

    var provider: TokenIssuer.Provider? {
      switch self {
      case .json: nil
      case .introspectionJWT(let provider), .tokenJWT(let provider): provider
      }
    }
  }

  public var url: String
  public var clientID: String
  public var clientAuthentication: ClientAuthentication
  public var answer: Answer
  /// PEM, the authorities of the endpoint's certificate; `nil` for the system's.
  public var certificateAuthority: String?
  /// Whether tokens may travel without TLS.
  public var insecurePlaintext: Bool
  /// For one question.
  public var timeout: Duration
  /// ``TokenRules/issuer`` empty: `iss` is not judged; signed answers need one. ``TokenRules/audiences`` empty: neither is
  /// `aud`; of a token that is answered with it is, and needs one.
  public var rules: TokenRules

  public init(
    url: String, clientID: String, clientAuthentication: ClientAuthentication, answer: Answer = .json,
    certificateAuthority: String? = nil, insecurePlaintext: Bool = false, timeout: Duration = .seconds(5), rules: TokenRules
  ) {
    self.url = url
    self.clientID = clientID
    self.clientAuthentication = clientAuthentication
    self.answer = answer
    self.certificateAuthority = certificateAuthority
    self.insecurePlaintext = insecurePlaintext
    self.timeout = timeout
    self.rules = rules
  }

  /// The issuer whose keys sign the answers; `nil` where they are not signed.
  var signer: TokenIssuer? { self.answer.provider.map { TokenIssuer(rules: self.rules, provider: $0) } }

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

import SallyportCore
import SallyportStrictYAML

extension GatewayConfiguration.Issuer {
  /// Tokens for clients: who may ask for them at `/.sallyport/token`, and which.
  public struct TokenExchange: Sendable, Equatable {
    public let tokenLifetime: Duration
    public let clients: [Client]
  }

  public struct Client: Sendable, Equatable {
    /// How the users of a public client may sign in.
    public enum SignIn: String, Sendable, CaseIterable {
      case password, clientCertificate
    }

    /// By what the client proves itself.
    public enum Authentication: Sendable, Equatable {
      /// By nothing; its users sign in by these.
      case `public`(signIn: [SignIn])
      /// By a secret whose hash is in this file.
      case secret(NamedFile)
      /// By a certificate of this user's.
      case certificate(user: String)
    }

    public let id: String
    public let authentication: Authentication
    public let audiences: [String]
    public let scopes: [String]
    /// Whether audiences of API servers may be among them.
    public let insecureDirectAudience: Bool
  }
}

extension GatewayConfiguration.Issuer {
  /// Of all tokens: for so long the keys are published that have signed them.
  public var longestTokenLifetime: Duration { max(self.tokenLifetime, self.tokenExchange?.tokenLifetime ?? .zero) }
}

extension GatewayConfiguration {
  /// Whether there are tokens for the gateway itself: those of clients, or one that an upstream gets to call it with.
  static func issuesOwnTokens(issuer: Issuer?, credentials: [Credential]) -> Bool {
    let isExchanged = issuer?.tokenExchange?.clients.contains { $0.audiences.contains(OwnAudience.name) } ?? false
    return isExchanged || credentials.contains { $0.kind.mintedAudience == OwnAudience.name }
  }
}

extension GatewayConfiguration.Credential.Kind {
  /// The audience of the tokens that the issuer signs for it.
  var mintedAudience: String? {
    switch self {
    case .idToken(let audience): audience
    case .phantomToken(let audience): audience
    case .requestHeaders, .clientCertificate, .impersonation, .passthrough, .nothing: nil
    }
  }
}

extension GatewayConfiguration.Issuer.TokenExchange {
  init?(_ yaml: YAMLCursor) {
    let exchange: Self? = yaml.mapping { keys in
      let lifetime = keys.optional("tokenLifetime").map { $0.duration(in: .seconds(60)...(.seconds(43_200))) } ?? .seconds(3600)
      let clients = keys.required("clients")?.list(atLeast: 1, GatewayConfiguration.Issuer.Client.init)
      guard let lifetime, let clients else { return nil }
      return Self(tokenLifetime: lifetime, clients: clients)
    }
    guard let exchange else { return nil }
    self = exchange
  }
}

extension GatewayConfiguration.Issuer.Client {
  init?(_ yaml: YAMLCursor) {
    let client: Self? = yaml.mapping { keys in
      let id = keys.required("id")?.name()
      let authentication: Authentication? = keys.exactlyOne(of: [
        "public": Authentication.public, "secretHashFile": { $0.file().map(Authentication.secret) },
        "certificateUser": { $0.text().map { .certificate(user: $0) } },
      ])
      let audiences = keys.optional("audiences").map { $0.list(atLeast: 1) { $0.text() } } ?? [OwnAudience.name]
      let scopes = keys.optional("scopes").map { $0.list(atLeast: 1) { $0.parsed(Self.scope) } } ?? []
      let insecure = keys.optional("insecureDirectAudience").map { $0.boolean() } ?? false
      guard let id, let authentication, let audiences, let scopes, let insecure else { return nil }
      return Self(id: id, authentication: authentication, audiences: audiences, scopes: scopes, insecureDirectAudience: insecure)
    }
    guard let client else { return nil }
    self = client
  }

  /// `scope-token` (RFC 6749 section 3.3).
  static func scope(_ text: String) throws(ValueFault) -> String {
    guard !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) else {
      throw ValueFault("is not a scope", "write printable ASCII characters without blanks, quotes and backslashes")
    }
    return text
  }
}

extension GatewayConfiguration.Issuer.Client.Authentication {
  fileprivate static func `public`(_ yaml: YAMLCursor) -> Self? {
    yaml.mapping { keys in
      let signIn = keys.optional("signIn").map { $0.list { $0.choice(of: GatewayConfiguration.Issuer.Client.SignIn.self) } } ?? []
      return signIn.map { .public(signIn: $0) }
    }
  }
}

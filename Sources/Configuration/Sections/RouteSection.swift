import SallyportStrictYAML

extension GatewayConfiguration {
  /// Which requests go where, as whom, and who may send them. The first route that matches decides.
  public struct Route: Sendable, Equatable {
    /// A way to prove who one is.
    public enum Method: String, Sendable, CaseIterable {
      case clientCertificate, password, token
      /// A browser's session: see ``GatewayConfiguration/Authentication/SignIn``.
      case session
    }

    /// What an identity must be proven by, beyond that it is proven.
    public struct Requirement: Sendable, Equatable {
      /// How somebody was authenticated, in the words of the audit record's `sallyport.dev/authentication`.
      public enum Method: String, Sendable, CaseIterable {
        case clientCertificate, passwordFile, ldap, pam, jwt, introspection, tokenReview, session
      }
      /// All of them, of a token.
      public var scopes: [String] = []
      /// One of them, of a token; empty for any.
      public var audiences: [String] = []
      /// One of them; empty for any.
      public var issuers: [String] = []
      /// One of them; empty for any.
      public var methods: [Method] = []

      public init() {}
    }

    /// What becomes of `kubectl --as`.
    public enum Impersonation: String, Sendable, CaseIterable {
      /// It is sent upstream, which judges it.
      case forward
      /// The request is refused.
      case refuse
    }

    public let name: String
    public let match: Match
    /// The name of an upstream.
    public let upstream: String
    /// The name of a credential.
    public let credential: String
    /// Empty where only the anonymous paths are open.
    public let authenticate: [Method]
    /// Exact paths that need no identity, for GET only.
    public let anonymous: [String]
    public let impersonation: Impersonation
    /// The policies that judge the route's requests; `nil` for all that there are.
    public let policies: [NameReference]?
    /// `nil`: whoever is authenticated may go on to the policies.
    public let require: Requirement?
  }
}

extension GatewayConfiguration.Route {
  /// The requests that a route is for: host and path must both fit.
  public struct Match: Sendable, Equatable {
    /// In lower case, without port. Empty for any host.
    public var hosts: [String] = []
    /// The path itself and everything below it, on a segment's boundary.
    public var path = "/"

    public init() {}
  }
}

extension GatewayConfiguration.Route {
  init?(_ yaml: YAMLCursor) {
    let route: Self? = yaml.mapping { keys in
      let name = keys.required("name")?.name()
      let match = keys.optional("match").map(Match.init) ?? Match()
      let upstream = keys.required("upstream")?.name()
      let credential = keys.required("credential")?.name()
      let authenticate = keys.required("authenticate")?.list { $0.choice(of: Method.self) }
      let anonymous = keys.optional("anonymous")?.list { $0.parsed(RequestPathText.exact) } ?? []
      let impersonation = keys.optional("impersonation")?.choice(of: Impersonation.self) ?? .forward
      let policies = keys.optional("policies")?.list { $0.nameReference() }
      let require = keys.optional("require").map(Requirement.init)
      keys.notInThisVersion("setHeaders")
      guard let name, let upstream, let credential, let authenticate else { return nil }
      return Self(
        name: name, match: match, upstream: upstream, credential: credential, authenticate: authenticate, anonymous: anonymous,
        impersonation: impersonation, policies: policies, require: require)
    }
    guard let route else { return nil }
    self = route
  }
}

extension GatewayConfiguration.Route.Requirement {
  init(_ yaml: YAMLCursor) {
    self.init()
    _ = yaml.mapping { keys in
      self.scopes = keys.optional("scopes")?.list(atLeast: 1) { $0.parsed(Self.scope) } ?? []
      self.audiences = keys.optional("audiences")?.list(atLeast: 1) { $0.text() } ?? []
      self.issuers = keys.optional("issuers")?.list(atLeast: 1) { $0.parsed(IssuerURL.parse) } ?? []
      self.methods = keys.optional("methods")?.list(atLeast: 1) { $0.choice(of: Method.self) } ?? []
      return ()
    }
  }

  /// `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )` (RFC 6749 section 3.3).
  private static func scope(_ text: String) throws(ValueFault) -> String {
    guard !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }) else {
      throw ValueFault("is no scope", "write one scope an item, without blanks, quotes and backslashes")
    }
    return text
  }
}

extension GatewayConfiguration.Route.Match {
  init(_ yaml: YAMLCursor) {
    self.init()
    _ = yaml.mapping { keys in
      self.hosts = keys.optional("hosts")?.list(atLeast: 1) { $0.parsed { text throws(ValueFault) in try HostName.orAddress(text) } } ?? []
      self.path = keys.optional("path")?.parsed(RequestPathText.prefix) ?? "/"
      return ()
    }
  }
}

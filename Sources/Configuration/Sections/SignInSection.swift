import SallyportStrictYAML

extension GatewayConfiguration.Authentication {
  /// How people sign in with a browser, for the routes that accept a session.
  public struct SignIn: Sendable, Equatable {
    /// What the gateway is called on its pages.
    public var name = "Sallyport"
    /// Whether the page asks for a user name and a password, which the stores of `passwords` judge.
    public var form = true
    /// Whether the page lets people in by the client certificate that their browser shows.
    public var clientCertificate = false
    public var session = Session()

    public init() {}
  }

  /// How long a browser stays signed in.
  public struct Session: Sendable, Equatable {
    /// A session that nobody uses for so long is over.
    public var idle = Duration.seconds(1800)
    /// No session lasts longer.
    public var lifetime = Duration.seconds(43_200)
    /// How old the answer to who somebody is may become before their directory is asked again.
    public var refresh = Duration.seconds(300)
    /// How many browsers one user may be signed in with.
    public var perUser = 20
    /// How many sessions there may be.
    public var total = 10_000

    public init() {}
  }
}

extension GatewayConfiguration.Authentication.SignIn {
  init(_ yaml: YAMLCursor) {
    self.init()
    _ = yaml.mapping { keys in
      if let name = keys.optional("name")?.parsed(Self.displayName) { self.name = name }
      self.form = keys.optional("form")?.boolean() ?? self.form
      self.clientCertificate = keys.optional("clientCertificate")?.boolean() ?? self.clientCertificate
      self.session = keys.optional("session").map(GatewayConfiguration.Authentication.Session.init) ?? self.session
      keys.notInThisVersion("oidc")
      return ()
    }
  }

  private static func displayName(_ text: String) throws(ValueFault) -> String {
    guard !text.isEmpty, text.count <= 64, text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
      throw ValueFault("is no name for a page", "write up to 64 characters in one line")
    }
    return text
  }
}

extension GatewayConfiguration.Authentication.Session {
  init(_ yaml: YAMLCursor) {
    self.init()
    _ = yaml.mapping { keys in
      let range = Duration.seconds(60)...Duration.seconds(7 * 86_400)
      self.idle = keys.optional("idle")?.duration(in: range) ?? self.idle
      self.lifetime = keys.optional("lifetime")?.duration(in: range) ?? self.lifetime
      self.refresh = keys.optional("refresh")?.duration(in: .seconds(10)...(.seconds(3600))) ?? self.refresh
      self.perUser = keys.optional("perUser")?.integer(in: 1...1000) ?? self.perUser
      self.total = keys.optional("total")?.integer(in: 1...1_000_000) ?? self.total
      keys.notInThisVersion("keyFile", "redis")
      return ()
    }
  }
}

import SallyportStrictYAML

extension GatewayConfiguration.Authentication {
  /// How people sign in with a browser, for the routes that accept a session.
  public struct SignIn: Sendable, Equatable {
    /// What the gateway is called on its pages.
    public var name = "Sallyport"
    /// Of the pages' buttons and links; the gateway's own where it is `nil`.
    public var accentColor: HexColor?
    /// A picture before the name: PNG or SVG.
    public var logoFile: NamedFile?
    /// Whether the page asks for a user name and a password, which the stores of `passwords` judge.
    public var form = true
    /// Whether the page lets people in by the client certificate that their browser shows.
    public var clientCertificate = false
    /// The OpenID providers that it leads to, in this order.
    public var oidc: [OpenID] = []
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
    /// Where they are kept, if several gateways share them; `nil`: in memory.
    public var shared: Shared?

    public init() {}

    /// A Redis server, and the keys by which what lies there is sealed.
    public struct Shared: Sendable, Equatable {
      public let keyFile: NamedFile
      public let url: RedisURL
      public let caFile: NamedFile?
      public let username: String?
      public let password: SecretSource?
      public let timeout: Duration
    }
  }
}

extension GatewayConfiguration.Authentication.SignIn {
  init(_ yaml: YAMLCursor) {
    self.init()
    _ = yaml.mapping { keys in
      if let name = keys.optional("name")?.parsed(Self.displayName) { self.name = name }
      self.accentColor = keys.optional("accentColor")?.parsed { text throws(ValueFault) in try HexColor(parsing: text) }
      self.logoFile = keys.optional("logoFile")?.file()
      self.form = keys.optional("form")?.boolean() ?? self.form
      self.clientCertificate = keys.optional("clientCertificate")?.boolean() ?? self.clientCertificate
      self.session = keys.optional("session").map(GatewayConfiguration.Authentication.Session.init) ?? self.session
      self.oidc = keys.optional("oidc").map(GatewayConfiguration.Authentication.OpenID.providers) ?? []
      return ()
    }
  }

  static func displayName(_ text: String) throws(ValueFault) -> String {
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
      self.shared = Self.shared(keys)
      return ()
    }
  }

  private static func shared(_ keys: YAMLMapping) -> Shared? {
    let keyFile = keys.optional("keyFile")
    guard let redis = keys.optional("redis") else {
      keyFile?.fault("has no effect on sessions in memory", "add redis, or remove it")
      return nil
    }
    guard let keyFile else {
      redis.fault("has no keys to seal sessions by", "add keyFile: a line of `openssl rand -base64 32`, the same for all gateways")
      return nil
    }
    let file = keyFile.file()
    return redis.mapping { keys in
      let url = keys.required("url")?.parsed { text throws(ValueFault) in try RedisURL(parsing: text) }
      let plaintext = keys.optional("insecurePlaintext")?.boolean() ?? false
      let caFile = keys.optional("caFile")
      if let url, url.usesTLS == plaintext {
        keys.optional("url")?.fault(
          url.usesTLS ? "is rediss beside insecurePlaintext, which is for redis" : "would send the password in the clear",
          "write rediss\(url.usesTLS ? ", and remove insecurePlaintext" : ", or set insecurePlaintext: true")")
      }
      if plaintext { caFile?.fault("has no effect without TLS", "remove it, or remove insecurePlaintext") }
      let username = keys.optional("username")
      let (passwordFile, variable) = (keys.optional("passwordFile"), keys.optional("passwordEnv"))
      if passwordFile != nil { variable?.fault("stands beside `passwordFile`", "keep one of the two") }
      if passwordFile == nil, variable == nil { username?.fault("has no password", "add passwordFile or passwordEnv, or remove it") }
      let password = passwordFile?.file().map(SecretSource.file) ?? variable?.environmentVariable().map(SecretSource.environment)
      let timeout = keys.optional("timeout")?.duration(in: .milliseconds(50)...(.seconds(30))) ?? .seconds(2)
      guard let file, let url else { return nil }
      return Shared(
        keyFile: file, url: url, caFile: caFile?.file(), username: username?.text(), password: password, timeout: timeout)
    }
  }
}

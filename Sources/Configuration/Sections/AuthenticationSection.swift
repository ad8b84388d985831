import SallyportStrictYAML

extension GatewayConfiguration {
  /// How clients prove who they are, for all routes; a route chooses among these.
  public struct Authentication: Sendable, Equatable {
    /// `nil`: nobody is known by a certificate.
    public var clientCertificates: ClientCertificates?
    /// Asked in this order. Empty: nobody is known by a password.
    public var passwords: [PasswordStore] = []
    /// Empty: nobody is known by a token.
    public var tokens: [TokenSource] = []
    /// How long a verified credential is believed without asking its store again.
    public var cacheLifetime = Duration.seconds(60)
    public var throttle = Throttle()
    public var allowSystemNames = SystemNames()
    /// `nil`: nobody signs in with a browser.
    public var signIn: SignIn?

    public init() {}
  }
}

extension GatewayConfiguration.Authentication {
  /// Which parts of a certificate are the user's name and groups.
  public struct ClientCertificates: Sendable, Equatable {
    public enum Username: String, Sendable, CaseIterable {
      case subjectCommonName = "subject.commonName"
      case email = "san.email"
      case uri = "san.uri"
      case dnsName = "san.dns"
    }
    public enum Groups: String, Sendable, CaseIterable {
      case subjectOrganization = "subject.organization"
      case subjectOrganizationalUnit = "subject.organizationalUnit"
      case none
    }
    public var username = Username.subjectCommonName
    public var groups = Groups.subjectOrganization
    /// What the user's UID is; `nil` for none.
    public var uid: CertificateValue?
    /// The user's extra attributes, by their keys in lower case.
    public var extra: [Extra] = []
    /// The authorities that may have signed a user's certificate; empty for all that a listener trusts.
    public var issuers: [CertificateIssuer] = []
    /// The policies of which a certificate must be issued under one; empty for any.
    public var policies: [String] = []
    /// `nil`: nobody asks whether a certificate was revoked.
    public var revocation: Revocation?

    public init() {}
  }

  public enum PasswordStore: Sendable, Equatable {
    /// Users, groups and hashes in YAML, or an htpasswd file.
    case passwordFile(NamedFile)
    case ldap(LDAP)
    case pam(PAM)
  }

  /// When failed logins lock an address or a user name out.
  public struct Throttle: Sendable, Equatable {
    /// How many failures within ``per`` are too many.
    public var failures = 5
    public var per = Duration.seconds(60)
    /// How long nothing is verified then.
    public var lockout = Duration.seconds(300)

    public init() {}
  }

  /// The names beginning with `system:` that a credential may yield. None, unless named.
  ///
  /// Kubernetes keeps the prefix for its own components, and `system:masters` for whoever may do everything.
  public struct SystemNames: Sendable, Equatable {
    public var users: Set<String> = []
    public var groups: Set<String> = []

    public init() {}
  }
}

extension GatewayConfiguration.Authentication {
  init(_ yaml: YAMLCursor) {
    self.init()
    _ = yaml.mapping { keys in
      self.clientCertificates = keys.optional("clientCertificates").map(ClientCertificates.init)
      self.passwords = keys.optional("passwords")?.list(PasswordStore.init) ?? []
      self.cacheLifetime = keys.optional("cache").flatMap(Self.cacheLifetime) ?? self.cacheLifetime
      self.throttle = keys.optional("throttle").map(Throttle.init) ?? self.throttle
      self.allowSystemNames = keys.optional("allowSystemNames").map(SystemNames.init) ?? self.allowSystemNames
      self.tokens = keys.optional("tokens")?.list(atLeast: 1, TokenSource.init) ?? []
      self.signIn = keys.optional("signIn").map(SignIn.init)
      return ()
    }
  }

  private static func cacheLifetime(_ yaml: YAMLCursor) -> Duration? {
    yaml.mapping { keys in
      keys.notInThisVersion("negativeLifetime")
      return keys.optional("lifetime")?.duration(in: .seconds(1)...(.seconds(3600)))
    }
  }
}

extension GatewayConfiguration.Authentication.PasswordStore {
  init?(_ yaml: YAMLCursor) {
    let store: Self? = yaml.mapping { keys in
      keys.exactlyOne(of: [
        "passwordFile": { yaml in
          yaml.mapping { keys in keys.required("file")?.file().map(Self.passwordFile) }
        },
        "ldap": { yaml in GatewayConfiguration.Authentication.LDAP(yaml).map(Self.ldap) },
        "pam": { yaml in GatewayConfiguration.Authentication.PAM(yaml).map(Self.pam) },
      ])
    }
    guard let store else { return nil }
    self = store
  }
}

extension GatewayConfiguration.Authentication.Throttle {
  init(_ yaml: YAMLCursor) {
    self.init()
    _ = yaml.mapping { keys in
      let range = Duration.seconds(1)...Duration.seconds(86_400)
      if let count = keys.optional("failures")?.integer(in: 1...1000) { self.failures = count }
      if let time = keys.optional("per")?.duration(in: range) { self.per = time }
      if let time = keys.optional("lockout")?.duration(in: range) { self.lockout = time }
      return ()
    }
  }
}

extension GatewayConfiguration.Authentication.SystemNames {
  init(_ yaml: YAMLCursor) {
    self.init()
    _ = yaml.mapping { keys in
      self.users = Set(keys.optional("users")?.list(Self.systemName) ?? [])
      self.groups = Set(keys.optional("groups")?.list(Self.systemName) ?? [])
      return ()
    }
  }

  private static func systemName(_ yaml: YAMLCursor) -> String? {
    guard let name = yaml.text() else { return nil }
    guard name.hasPrefix("system:"), name.utf8.count > "system:".utf8.count else {
      yaml.fault("does not begin with `system:`", "list only such names; all others are allowed anyway")
      return nil
    }
    return name
  }
}

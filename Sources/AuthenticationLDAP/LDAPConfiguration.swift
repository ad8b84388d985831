public import NIOCore
public import SallyportCore
public import SallyportLDAPSyntax

/// How a directory is asked; one value of one configuration generation.
public struct LDAPConfiguration: Sendable, CustomReflectable {
  public struct Server: Sendable, Hashable, CustomStringConvertible {
    public enum Scheme: String, Sendable, Hashable { case ldap, ldaps }
    public var scheme: Scheme
    /// A name or an address without brackets; the server's certificate must carry it.
    public var host: String
    public var port: Int

    public init(scheme: Scheme, host: String, port: Int) {
      self.scheme = scheme
      self.host = host
      self.port = port
    }

    public var description: String { "\(self.scheme.rawValue)://\(self.host.contains(":") ? "[\(self.host)]" : self.host):\(self.port)" }
  }

  public enum Encryption: Sendable, Hashable {
    /// TLS from the first byte (`ldaps`), or begun by StartTLS before anything else is sent (`ldap`), never without.
    case tls(caFile: String)
    /// Passwords travel in the clear.
    case insecurePlaintext
  }

  /// Who asks for entries.
  public struct ServiceAccount: Sendable {
    public var name: DistinguishedName
    public var password: Secret

    public init(name: DistinguishedName, password: Secret) {
      self.name = name
      self.password = password
    }
  }

  public enum Scope: Sendable, Hashable { case one, subtree }

  /// How an entry is found from what was typed.
  public enum UserPlace: Sendable, Hashable {
    case search(base: DistinguishedName, scope: Scope, filter: FilterTemplate)
    /// The name itself, and what its entry must match.
    case template(NameTemplate, filter: FilterTemplate?)
  }

  public struct ExtraAttribute: Sendable, Hashable {
    public var key: String
    public var attribute: AttributeName

    public init(key: String, attribute: AttributeName) {
      self.key = key
      self.attribute = attribute
    }
  }

  public struct Users: Sendable, Hashable {
    public var place: UserPlace
    /// The attribute that is the user's name; it must have one value.
    public var username: AttributeName
    public var uid: AttributeName?
    public var extra: [ExtraAttribute]
    /// What the entries of accounts in use match; others are refused.
    public var enabled: FilterTemplate?

    public init(
      place: UserPlace, username: AttributeName, uid: AttributeName? = nil, extra: [ExtraAttribute] = [], enabled: FilterTemplate? = nil
    ) {
      self.place = place
      self.username = username
      self.uid = uid
      self.extra = extra
      self.enabled = enabled
    }
  }

  public struct Groups: Sendable, Hashable {
    public enum Source: Sendable, Hashable {
      /// The groups whose entries match.
      case search(base: DistinguishedName, scope: Scope, filter: FilterTemplate)
      /// The groups that the member's entry names.
      case memberOf(AttributeName)
    }
    public var source: Source
    /// The attribute of a group's entry that is its name.
    public var name: AttributeName
    /// Whether the groups of groups count.
    public var isNested: Bool
    /// How many groups lie between a user and a group at most.
    public var depth: Int
    /// How many groups a user has at most; a user with more is refused, because deny rules may be about any of them.
    public var limit: Int

    public init(source: Source, name: AttributeName, isNested: Bool, depth: Int = 10, limit: Int = 256) {
      self.source = source
      self.name = name
      self.isNested = isNested
      self.depth = depth
      self.limit = limit
    }
  }

  /// Asked in this order: the next one only while one before it cannot be reached.
  public var servers: [Server]
  public var encryption: Encryption
  /// `nil`: entries are asked for without a name, or, with a template, by the users themselves.
  public var serviceAccount: ServiceAccount?
  public var users: Users
  public var groups: Groups?
  /// How long a judgement may take in all.
  public var timeout: TimeAmount
  /// How many passwords are judged at a time. Each has a thread, and a thread has up to two connections.
  public var connections: Int
  /// How many may wait.
  public var waiting: Int

  public init(
    servers: [Server], encryption: Encryption, serviceAccount: ServiceAccount?, users: Users, groups: Groups?,
    timeout: TimeAmount = .seconds(5), connections: Int = 4, waiting: Int = 64
  ) {
    self.servers = servers
    self.encryption = encryption
    self.serviceAccount = serviceAccount
    self.users = users
    self.groups = groups
    self.timeout = timeout
    self.connections = connections
    self.waiting = waiting
  }

  public var customMirror: Mirror { Mirror(self, children: ["servers": self.servers]) }

  /// Whether a user's entry can be read without the user's password.
  var readsWithoutPassword: Bool {
    switch self.users.place {
    case .search: true
    case .template: self.serviceAccount != nil
    }
  }
}

public import SallyportLDAPSyntax
import SallyportStrictYAML

extension GatewayConfiguration.Authentication {
  /// A directory that passwords are verified by.
  public struct LDAP: Sendable, Equatable {
    public struct ServiceAccount: Sendable, Equatable {
      public let name: DistinguishedName
      public let password: SecretSource
    }

    public enum Scope: String, Sendable, CaseIterable {
      case subtree, one
    }

    public enum UserPlace: Sendable, Equatable {
      case search(base: DistinguishedName, scope: Scope, filter: FilterTemplate)
      case template(NameTemplate, filter: FilterTemplate?)
    }

    public struct Users: Sendable, Equatable {
      public let place: UserPlace
      public let username: AttributeName
      public let uid: AttributeName?
      /// In the order of their keys.
      public let extra: [Extra]
      public let enabledFilter: FilterTemplate?

      public struct Extra: Sendable, Equatable {
        public let key: String
        public let attribute: AttributeName
      }
    }

    public enum GroupSource: Sendable, Equatable {
      case search(base: DistinguishedName, scope: Scope, filter: FilterTemplate)
      case memberOf(AttributeName)
    }

    public struct Groups: Sendable, Equatable {
      public let source: GroupSource
      public let name: AttributeName
      public let nested: Bool
      public let depth: Int
      public let limit: Int
    }

    public let urls: [LDAPServerURL]
    /// Whether passwords may travel in the clear.
    public let insecurePlaintext: Bool
    /// `nil`: the system's authorities.
    public let caFile: NamedFile?
    public let serviceAccount: ServiceAccount?
    public let users: Users
    public let groups: Groups?
    public let timeout: Duration
    public let connections: Int
    public let waiting: Int

    /// Whether a name that is unknown can be told from a wrong password.
    public var knowsItsUsers: Bool {
      switch self.users.place {
      case .search: true
      case .template: self.serviceAccount != nil
      }
    }
  }
}

extension GatewayConfiguration.Authentication.LDAP {
  init?(_ yaml: YAMLCursor) {
    let value: Self? = yaml.mapping { keys in
      let urls = keys.required("urls")?.list(atLeast: 1) { cursor in
        cursor.parsed { text throws(ValueFault) in try LDAPServerURL(parsing: text) }
      }
      let startTLS = keys.optional("startTLS").flatMap { $0.boolean() } ?? false
      let plaintext = keys.optional("insecurePlaintext").flatMap { $0.boolean() } ?? false
      let caFile = keys.optional("caFile").flatMap { $0.file() }
      Self.checkEncryption(yaml, urls ?? [], startTLS: startTLS, plaintext: plaintext)
      let account = Self.account(keys)
      let template = keys.optional("userDNTemplate").flatMap(Self.template)
      let isDirect = keys.optional("userDNTemplate") != nil
      let users = keys.required("users").flatMap { Users($0, template: template, isDirect: isDirect) }
      let groups = keys.optional("groups").map(Groups.init)
      let timeout = keys.optional("timeout").map { $0.duration(in: .milliseconds(100)...(.seconds(60))) } ?? .seconds(5)
      let connections = keys.optional("connections").map { $0.integer(in: 1...64) } ?? 4
      let waiting = keys.optional("waiting").map { $0.integer(in: 0...4096) } ?? 64
      guard let urls, let account, let users, let timeout, let connections, let waiting else { return nil }
      if let groups, groups == nil { return nil }
      return Self(
        urls: urls, insecurePlaintext: plaintext, caFile: caFile, serviceAccount: account, users: users, groups: groups ?? nil,
        timeout: timeout, connections: connections, waiting: waiting)
    }
    guard let value else { return nil }
    self = value
  }

  private static func checkEncryption(_ yaml: YAMLCursor, _ urls: [LDAPServerURL], startTLS: Bool, plaintext: Bool) {
    if startTLS, plaintext { yaml["insecurePlaintext"].fault("stands beside startTLS", "keep one of the two") }
    for (index, url) in urls.enumerated() {
      switch url.scheme {
      case .ldap where !startTLS && !plaintext:
        yaml["urls"][index].fault("would send passwords in the clear", "write ldaps, set startTLS: true, or set insecurePlaintext: true")
      case .ldaps where startTLS || plaintext:
        yaml["urls"][index].fault(
          "is ldaps beside \(startTLS ? "startTLS" : "insecurePlaintext"), which is for ldap", "write all urls alike")
      default: break
      }
    }
    if plaintext, !yaml["caFile"].isSamePlace(as: yaml) {
      yaml["caFile"].fault("has no effect without TLS", "remove it, or remove insecurePlaintext")
    }
  }

  /// - Returns: `nil` after a fault; `.some(nil)` for nobody
  private static func account(_ keys: YAMLMapping) -> ServiceAccount?? {
    let name = keys.optional("bindDN")
    let file = keys.optional("bindPasswordFile")
    let variable = keys.optional("bindPasswordEnv")
    guard let name else {
      for key in [file, variable] { key?.fault("stands without bindDN", "add bindDN, or remove it") }
      return file == nil && variable == nil ? .some(nil) : nil
    }
    if file != nil { variable?.fault("stands beside `bindPasswordFile`", "keep one of the two") }
    guard file != nil || variable != nil else {
      name.fault("has no password", "add bindPasswordFile or bindPasswordEnv; leave bindDN out to search without a name")
      return nil
    }
    let source = file?.file().map(SecretSource.file) ?? variable?.environmentVariable().map(SecretSource.environment)
    guard let name = name.distinguishedName(), let source else { return nil }
    return ServiceAccount(name: name, password: source)
  }

  private static func template(_ yaml: YAMLCursor) -> NameTemplate? {
    yaml.ldapSyntax { text throws(LDAPSyntaxFault) in try NameTemplate(parsing: text) }
  }
}

extension GatewayConfiguration.Authentication.LDAP.Users {
  fileprivate init?(_ yaml: YAMLCursor, template: NameTemplate?, isDirect: Bool) {
    let value: Self? = yaml.mapping { keys in
      let place = isDirect ? Self.direct(keys, template) : Self.search(keys)
      let username = keys.required("username")?.attributeName()
      let uid = keys.optional("uid").map { $0.attributeName() }
      let extra = keys.optional("extra").map(Self.extra) ?? []
      let enabled = keys.optional("enabledFilter").map { $0.filter(mayHold: [.username, .dn]) }
      guard let place, let username, let extra else { return nil }
      if let uid, uid == nil { return nil }
      if let enabled, enabled == nil { return nil }
      return Self(place: place, username: username, uid: uid ?? nil, extra: extra, enabledFilter: enabled ?? nil)
    }
    guard let value else { return nil }
    self = value
  }

  private static func search(_ keys: YAMLMapping) -> GatewayConfiguration.Authentication.LDAP.UserPlace? {
    let base = keys.required("base")?.distinguishedName()
    let scope = keys.optional("scope").map { $0.choice(of: GatewayConfiguration.Authentication.LDAP.Scope.self) } ?? .subtree
    let filter = keys.required("filter")?.filter(mayHold: [.username], mustHold: [.username])
    guard let base, let scope, let filter else { return nil }
    return .search(base: base, scope: scope, filter: filter)
  }

  private static func direct(_ keys: YAMLMapping, _ template: NameTemplate?) -> GatewayConfiguration.Authentication.LDAP.UserPlace? {
    for key in ["base", "scope"] {
      keys.optional(key)?.fault("has no effect beside userDNTemplate", "remove it, or remove userDNTemplate")
    }
    let filter = keys.optional("filter").map { $0.filter(mayHold: [.username, .dn]) }
    guard let template else { return nil }
    if let filter, filter == nil { return nil }
    return .template(template, filter: filter ?? nil)
  }

  private static func extra(_ yaml: YAMLCursor) -> [Extra]? {
    let entries = yaml.dictionary { key, cursor -> AttributeName? in
      let domain = key.prefix { $0 != "/" }
      if key != key.lowercased() || key.isEmpty || key.utf8.count > 256 || !key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
        cursor.fault("has a key that is not lower-case text without blanks", "write it as in example.org/department")
      } else if ["kubernetes.io", "k8s.io"].contains(where: { domain == $0 || domain.hasSuffix(".\($0)") }) {
        cursor.fault("has a key of a domain that is Kubernetes' own", "use a domain of yours")
      }
      return cursor.attributeName()
    }
    return entries.map { $0.map { Extra(key: $0.key, attribute: $0.value) }.sorted { $0.key < $1.key } }
  }
}

extension GatewayConfiguration.Authentication.LDAP.Groups {
  fileprivate init?(_ yaml: YAMLCursor) {
    let value: Self? = yaml.mapping { keys in
      let memberOf = keys.optional("memberOf")
      let name = keys.optional("name").map { $0.attributeName() } ?? (try? AttributeName(parsing: "cn"))
      let nested = keys.optional("nested").flatMap { $0.boolean() } ?? false
      let inChain = keys.optional("inChain").flatMap { $0.boolean() } ?? false
      let depth = keys.optional("depth").map { $0.integer(in: 1...50) } ?? 10
      let limit = keys.optional("limit").map { $0.integer(in: 1...256) } ?? 256
      if nested, inChain {
        yaml["inChain"].fault("stands beside nested", "keep one of the two: the server follows the chain, or Sallyport")
      }
      if !nested, !yaml["depth"].isSamePlace(as: yaml) {
        yaml["depth"].fault("has no effect without nested", "remove it, or set nested: true")
      }
      let source =
        if let memberOf {
          Self.memberOf(memberOf, keys)
        } else {
          Self.search(keys, nested: nested, inChain: inChain)
        }
      guard let source, let name, let depth, let limit else { return nil }
      return Self(source: source, name: name, nested: nested, depth: depth, limit: limit)
    }
    guard let value else { return nil }
    self = value
  }

  private static func memberOf(_ yaml: YAMLCursor, _ keys: YAMLMapping) -> GatewayConfiguration.Authentication.LDAP.GroupSource? {
    for key in ["base", "scope", "filter", "inChain"] {
      keys.optional(key)?.fault("has no effect beside memberOf", "remove it, or remove memberOf")
    }
    return yaml.attributeName().map { .memberOf($0) }
  }

  private static func search(
    _ keys: YAMLMapping, nested: Bool, inChain: Bool
  ) -> GatewayConfiguration.Authentication.LDAP.GroupSource? {
    let base = keys.required("base")?.distinguishedName()
    let scope = keys.optional("scope").map { $0.choice(of: GatewayConfiguration.Authentication.LDAP.Scope.self) } ?? .subtree
    guard let cursor = keys.required("filter"), let filter = cursor.filter(mayHold: [.username, .dn]) else { return nil }
    if filter.placeholders.isEmpty {
      cursor.fault("asks nothing about the user", "write it as in (member={dn}) or (memberUid={username})")
    } else if nested, filter.aboutGroups == nil {
      cursor.fault("cannot be asked about groups, as nested wants", "write it as in (member={dn}), or remove nested")
    } else if inChain, filter.inChain == filter {
      cursor.fault("has no part like (member={dn}), as inChain wants", "write one, or remove inChain")
    }
    guard let base, let scope else { return nil }
    return .search(base: base, scope: scope, filter: inChain ? filter.inChain : filter)
  }
}

extension YAMLCursor {
  /// A value in the words of LDAP.
  fileprivate func ldapSyntax<Value>(_ parse: (String) throws(LDAPSyntaxFault) -> Value) -> Value? {
    guard let text = self.text() else { return nil }
    do throws(LDAPSyntaxFault) {
      return try parse(text)
    } catch {
      self.fault(error.problem, error.remedy)
      return nil
    }
  }

  fileprivate func distinguishedName() -> DistinguishedName? {
    self.ldapSyntax { text throws(LDAPSyntaxFault) in try DistinguishedName(parsing: text) }
  }

  fileprivate func attributeName() -> AttributeName? {
    self.ldapSyntax { text throws(LDAPSyntaxFault) in try AttributeName(parsing: text) }
  }

  fileprivate func filter(mayHold allowed: Set<FilterPlaceholder>, mustHold needed: Set<FilterPlaceholder> = []) -> FilterTemplate? {
    guard let filter = self.ldapSyntax({ text throws(LDAPSyntaxFault) in try FilterTemplate(parsing: text) }) else { return nil }
    guard filter.placeholders.isSubset(of: allowed) else {
      self.fault("has a placeholder that is not known here", "use \(allowed.map { "{\($0.rawValue)}" }.sorted().joined(separator: " or "))")
      return nil
    }
    guard filter.placeholders.isSuperset(of: needed) else {
      self.fault("does not ask for the user's name", "write it as in (uid={username})")
      return nil
    }
    return filter
  }

  /// Whether a subscript found no key and gave the mapping itself.
  fileprivate func isSamePlace(as other: YAMLCursor) -> Bool { self.place == other.place }
}

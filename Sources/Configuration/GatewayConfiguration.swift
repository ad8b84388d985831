public import SallyportStrictYAML

/// Everything that is wrong with a configuration; prints one fault a line.
public typealias ConfigurationFaults = FileFaults

/// What the operator wrote, as values that need no further checking.
///
/// A value of this type is consistent: names are unique and lead somewhere, every setting has an effect, ranges hold.
/// Whether the files that it names exist is a question of the moment, answered by ``checkFiles()``.
public struct GatewayConfiguration: Sendable, Equatable {
  /// How many event loops serve connections; `nil` for one a core.
  public let eventLoops: Int?
  public let listeners: [Listener]
  public let authentication: Authentication
  /// `nil`: the gateway signs no tokens.
  public let issuer: Issuer?
  public let credentials: [Credential]
  public let upstreams: [Upstream]
  /// In the order in which they are tried.
  public let routes: [Route]
  /// What browsers see of answers that are the gateway's own, where the route has no page.
  public let errorPages: [ErrorPage]
  public let policy: Policy
  public let audit: Audit
  /// `nil`: nobody looks in.
  public let admin: Admin?
  /// `nil`: nobody acts on the running gateway but by signals.
  public let control: Control?
  public let reload: Reload
  public let shutdown: Shutdown
  /// SHA-256 over the configuration file's bytes, lower-case hexadecimal: which configuration a record was made under.
  public let hash: String
}

extension GatewayConfiguration {
  enum APIVersion: String, CaseIterable {
    case v1alpha1 = "sallyport.dev/v1alpha1"
  }

  enum Kind: String, CaseIterable {
    case gateway = "Gateway"
  }

  /// Reads the document; the hash is of the bytes that it was.
  init?(_ yaml: YAMLCursor, hash: String) {
    let configuration: Self? = yaml.mapping { keys in
      _ = keys.required("apiVersion")?.choice(of: APIVersion.self)
      _ = keys.required("kind")?.choice(of: Kind.self)
      let eventLoops = keys.optional("server").flatMap(Self.eventLoops)
      let listeners = keys.required("listeners")?.list(atLeast: 1) { Located($0, Listener.init) }
      let authentication = keys.optional("authentication").map(Authentication.init) ?? Authentication()
      let credentials = keys.required("credentials")?.list(atLeast: 1) { Located($0, Credential.init) }
      let upstreams = keys.required("upstreams")?.list(atLeast: 1) { Located($0, Upstream.init) }
      let routes = keys.required("routes")?.list(atLeast: 1) { Located($0, Route.init) }
      let errorPages = keys.optional("errorPages").map(ErrorPage.pages) ?? []
      let audit = keys.required("audit").flatMap(Audit.init)
      let policy = keys.optional("policy").map(Policy.init) ?? Policy()
      let admin = keys.optional("admin").flatMap(Admin.init)
      let control = keys.optional("control").flatMap(Control.init)
      let reload = keys.optional("reload").map(Reload.init) ?? Reload()
      let shutdown = keys.optional("shutdown").map(Shutdown.init) ?? Shutdown()
      let issuer = keys.optional("issuer").flatMap(Issuer.init)
      guard let listeners, let credentials, let upstreams, let routes else { return nil }
      CrossReferences(
        document: yaml, listeners: listeners, authentication: authentication, credentials: credentials, upstreams: upstreams,
        routes: routes, policy: policy, admin: admin, issuer: issuer
      ).check()
      guard let audit else { return nil }
      return Self(
        eventLoops: eventLoops, listeners: listeners.compactMap(\.value), authentication: authentication,
        issuer: issuer, credentials: credentials.compactMap(\.value), upstreams: upstreams.compactMap(\.value),
        routes: routes.compactMap(\.value), errorPages: errorPages,
        policy: policy, audit: audit, admin: admin, control: control, reload: reload, shutdown: shutdown, hash: hash)
    }
    guard let configuration else { return nil }
    self = configuration
  }

  private static func eventLoops(_ yaml: YAMLCursor) -> Int? {
    yaml.mapping { $0.optional("eventLoops")?.integer(in: 1...1024) }
  }
}

/// An item of a list with its place, for faults that are found when items are compared.
struct Located<Value> {
  /// `nil` for an item that has faults of its own.
  let value: Value?
  let yaml: YAMLCursor
  /// The item's name even where the rest of it has faults, so that one fault does not make others.
  let name: String?

  init(_ yaml: YAMLCursor, _ read: (YAMLCursor) -> Value?) {
    self.value = read(yaml)
    self.yaml = yaml
    self.name = yaml["name"].scalarText
  }
}

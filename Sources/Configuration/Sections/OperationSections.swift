import SallyportStrictYAML

extension GatewayConfiguration {
  /// Where the operator looks in: readiness and metrics, in plain HTTP.
  public struct Admin: Sendable, Equatable {
    public let address: HostAndPort
  }

  /// Where the operator acts on the running gateway: a Unix domain socket, for the user that it runs as.
  public struct Control: Sendable, Equatable {
    /// The longest path of a Unix domain socket in bytes (unix(7)).
    static let longestPath = 107

    public let socket: NamedFile
  }

  /// What is looked at for changes while the gateway runs.
  public struct Reload: Sendable, Equatable {
    /// Whether changed files are read anew by themselves; SIGHUP always does.
    public var watch = true
    /// How often the files are looked at.
    public var interval = Duration.seconds(5)
    /// How long a changed file must have lain still before it is read.
    public var settle = Duration.seconds(1)

    public init() {}
  }

  /// How the gateway ends.
  public struct Shutdown: Sendable, Equatable {
    /// From the signal until no connection is taken any more; readiness is red meanwhile.
    public var delay = Duration.zero
    /// How long requests may go on, from when no connection is taken any more.
    public var grace = Duration.seconds(25)
    /// The same for watches, other streams and tunnels.
    public var streamGrace = Duration.seconds(10)

    public init() {}
  }
}

extension GatewayConfiguration.Admin {
  init?(_ yaml: YAMLCursor) {
    let address = yaml.mapping { keys in keys.required("address")?.parsed(HostAndPort.init(parsing:)) } ?? nil
    guard let address else { return nil }
    self.address = address
  }
}

extension GatewayConfiguration.Control {
  init?(_ yaml: YAMLCursor) {
    let socket: NamedFile? = yaml.mapping { keys in
      guard let key = keys.required("socket"), let file = key.file() else { return nil }
      guard !file.path.isEmpty, !file.path.hasSuffix("/"), file.path.utf8.count <= Self.longestPath else {
        key.fault("is no path for a socket", "name a file in a directory of its own, in at most \(Self.longestPath) bytes")
        return nil
      }
      return file
    }
    guard let socket else { return nil }
    self.socket = socket
  }
}

extension GatewayConfiguration.Reload {
  init(_ yaml: YAMLCursor) {
    self.init()
    _ = yaml.mapping { keys in
      if let watch = keys.optional("watch")?.boolean() { self.watch = watch }
      if let time = keys.optional("interval")?.duration(in: .milliseconds(100)...(.seconds(3600))) { self.interval = time }
      if let time = keys.optional("settle")?.duration(in: .milliseconds(100)...(.seconds(60))) { self.settle = time }
      return ()
    }
  }
}

extension GatewayConfiguration.Shutdown {
  static let longest = Duration.seconds(24 * 3600)

  init(_ yaml: YAMLCursor) {
    self.init()
    _ = yaml.mapping { keys in
      if let time = keys.optional("delay")?.duration(in: .zero...(.seconds(600))) { self.delay = time }
      if let time = keys.optional("grace")?.duration(in: .zero...Self.longest) { self.grace = time }
      if let time = keys.optional("streamGrace")?.duration(in: .zero...Self.longest) { self.streamGrace = time }
      return ()
    }
  }
}

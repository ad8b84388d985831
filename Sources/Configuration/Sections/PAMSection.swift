public import SallyportStrictYAML

extension GatewayConfiguration.Authentication {
  /// A service of PAM that passwords are verified by.
  public struct PAM: Sendable, Equatable {
    public enum Groups: String, Sendable, CaseIterable {
      case system, none
    }

    /// The name of a file in ``serviceDirectory``.
    public let service: String
    /// `nil`: `/etc/pam.d`, and where else libpam looks.
    public let serviceDirectory: NamedFile?
    public let groups: Groups
    public let threads: Int
    public let waiting: Int
    /// For one answer, the queue included.
    public let timeout: Duration
    /// Where the service was named.
    public let place: FilePlace

    public static func == (left: Self, right: Self) -> Bool {
      left.service == right.service && left.serviceDirectory == right.serviceDirectory && left.groups == right.groups
        && left.threads == right.threads && left.waiting == right.waiting && left.timeout == right.timeout
    }
  }
}

extension GatewayConfiguration.Authentication.PAM {
  init?(_ yaml: YAMLCursor) {
    let value: Self? = yaml.mapping { keys in
      let service = keys.required("service")
      let name = service.flatMap(Self.serviceName)
      let directory = keys.optional("serviceDirectory").map { $0.file() }
      let groups = keys.required("groups")?.choice(of: Groups.self)
      let threads = keys.optional("threads").map { $0.integer(in: 1...64) } ?? 2
      let waiting = keys.optional("waiting").map { $0.integer(in: 0...4096) } ?? 64
      let timeout = keys.optional("timeout").map { $0.duration(in: .seconds(1)...(.seconds(300))) } ?? .seconds(30)
      guard let service, let name, let groups, let threads, let waiting, let timeout else { return nil }
      if let directory, directory == nil { return nil }
      return Self(
        service: name, serviceDirectory: directory ?? nil, groups: groups, threads: threads, waiting: waiting, timeout: timeout,
        place: service.place)
    }
    guard let value else { return nil }
    self = value
  }

  /// libpam folds the name to lower case and takes it for a file's.
  private static func serviceName(_ yaml: YAMLCursor) -> String? {
    guard let text = yaml.text() else { return nil }
    let isPlain = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"): true
      default: false
      }
    }
    guard isPlain, text.utf8.count <= 63, text != "other" else {
      yaml.fault(
        "is not the name of a PAM service", "use up to 63 lower-case letters, digits, `-` and `_`; `other` is what PAM falls back to")
      return nil
    }
    return text
  }
}

import SallyportWire

/// Verbs of Kubernetes, as a set.
public struct VerbSet: OptionSet, Sendable, Hashable {
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  static let get = Self(rawValue: 1 << 0)
  static let list = Self(rawValue: 1 << 1)
  static let watch = Self(rawValue: 1 << 2)
  static let create = Self(rawValue: 1 << 3)
  static let update = Self(rawValue: 1 << 4)
  static let patch = Self(rawValue: 1 << 5)
  static let delete = Self(rawValue: 1 << 6)
  static let deletecollection = Self(rawValue: 1 << 7)
  /// The verb of the old `/api/v1/proxy/…` paths.
  static let proxy = Self(rawValue: 1 << 8)
  /// What a server gives no verb: a method like OPTIONS, or `get` in lower case. No rule names it; only "all verbs" holds it.
  static let none = Self(rawValue: 1 << 9)
  public static let all = Self(rawValue: (1 << 10) - 1)

  /// The verbs that a rule may name, in the order in which manuals list them.
  static let words: [(word: String, verb: VerbSet)] = [
    ("get", .get), ("list", .list), ("watch", .watch), ("create", .create), ("update", .update), ("patch", .patch),
    ("delete", .delete), ("deletecollection", .deletecollection), ("proxy", .proxy),
  ]

  /// The verb of a reading.
  init(word: String) {
    switch word {
    case "get": self = .get
    case "list": self = .list
    case "watch": self = .watch
    case "create": self = .create
    case "update": self = .update
    case "patch": self = .patch
    case "delete": self = .delete
    case "deletecollection": self = .deletecollection
    case "proxy": self = .proxy
    default: self = .none
    }
  }
}

/// What a request does to its resource, as a rule must see it.
///
/// A verb says what was spelled; some subresources make more of it. `exec`, `attach` and `portforward` run something
/// whatever their method (a WebSocket client opens them by GET, and kube-apiserver itself asks for the right to `create`),
/// and behind `proxy` there is another server, to which any method may mean anything. What a subresource of somebody else's
/// API does with a connection that goes on in another protocol is taken for the same as `exec` (a virtual machine's
/// console is opened by GET too); logs are only read, and a resource itself is only watched.
struct EffectiveVerbs: Sendable {
  /// A deny that names one of these is meant.
  let any: VerbSet
  /// An allow must name all of these.
  let all: VerbSet

  /// - Parameter upgrades: whether the connection is to go on in another protocol
  init(_ info: RequestInfo, upgrades: Bool) {
    let verb = VerbSet(word: info.verb)
    if info.subresource == "proxy" || verb == .proxy {
      self.any = .all
      self.all = .all
    } else if Self.opensConnection(info.subresource) || upgrades && !info.subresource.isEmpty && info.subresource != "log" {
      self.any = verb.union(.create)
      self.all = verb.isDisjoint(with: [.get, .list, .watch]) ? verb.union(.create) : .create
    } else {
      self.any = verb
      self.all = verb
    }
  }

  private static func opensConnection(_ subresource: String) -> Bool {
    switch subresource {
    case "exec", "attach", "portforward": true
    default: false
    }
  }
}

extension RequestInfo {
  /// The subresource; `proxy` also for the old paths that have it in front.
  var effectiveSubresource: String { self.verb == "proxy" && self.subresource.isEmpty ? "proxy" : self.subresource }
}

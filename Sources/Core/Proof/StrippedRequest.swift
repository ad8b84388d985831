public import SallyportWire

/// A request without anything by which a client could pass itself off as somebody: the first proof of the way.
///
/// Stripping is done here, before any branch, for every request, also for those that end at an own path or in an error:
/// - `X-Remote-*`, `Proxy-Authorization`, `Audit-ID`, `Forwarded`, `X-Forwarded-For`, `X-Real-Ip`, in every spelling (letter
///   case, `_` for `-`), and the other `X-Forwarded-*` unless a trusted peer sent them, go; what a trusted peer says of
///   where the request comes from is in ``origin``;
/// - hop-by-hop fields and every field that `Connection` names go;
/// - `Impersonate-*` moves into ``impersonation``, `Authorization` and a token among the WebSocket protocols into
///   ``authorization``, the gateway's own cookies into ``ownCookies``.
///
/// The proofs are immutable objects: to pass one on, or to keep it in the next, costs a reference.
public final class StrippedRequest: Sendable {
  public let head: RequestHead
  public let impersonation: RequestedImpersonation?
  /// Where the request comes from; `nil` where nobody knows.
  public let origin: RequestOrigin?
  /// The `Authorization` fields' values, most often one; a token that came as a WebSocket protocol stands behind them as
  /// `Bearer TOKEN`.
  public let authorization: [Secret]
  /// The gateway's own cookies; `nil` where none came.
  public let ownCookies: OwnCookies?
  /// What the client sent as `Audit-ID`, for the audit record.
  public let clientAuditID: String?
  /// The protocols that the client would change to, in its order and in lower case (`websocket`, `spdy/3.1`).
  ///
  /// Empty unless `Connection` names `Upgrade` too, and for HTTP/1.0 (RFC 9110 section 7.8). The fields themselves are
  /// gone: whoever carries out an upgrade writes them anew.
  public let requestedUpgrade: [String]
  /// The protocol that the connection is to change to, if the upstream wants to; `nil` where the request is an ordinary
  /// one: no protocol or several are asked for, one that is not known here, or by a method that it is not asked for by.
  public let upgrade: UpgradeProtocol?

  /// Strips a request.
  ///
  /// - Throws: ``Problem`` (400) for
  ///   - an upgrade that comes with a body: what is the body's and what the new protocol's would be anybody's guess;
  ///   - an `Impersonate-*` combination that kube-apiserver refuses or ignores silently: group, uid or extra without
  ///     user; an unknown name, or one spelled with `_`; several users or uids; an empty value;
  ///   - such a value or key that is no UTF-8 or holds a control character;
  ///   - a `Connection` that names a field which is meant for the server or for us;
  ///   - a broken token among the WebSocket protocols, or several.
  public init(stripping head: RequestHead, fromTrustedPeer: Bool, origin: RequestOrigin? = nil) throws(Problem) {
    self.origin = origin
    var options = ConnectionOptions()
    var impersonation = ImpersonationFields()
    var authorization: [Secret] = []
    var clientAuditID: String?
    var upgrades: [String] = []
    var hasWebSocketProtocols = false
    if !head.fields.kinds.isDisjoint(with: Self.readKinds) {
      for index in head.fields.indices {
        guard let known = head.fields.kind(at: index), Self.readKinds.contains(known) else { continue }
        let field = head.fields[index]
        switch known {
        case .connection: try options.read(field)
        case .upgrade: upgrades += field.listElements.map { String(decoding: $0, as: UTF8.self).lowercased() }
        case .authorization: authorization.append(Secret(sharing: field.valueBytes))
        case .auditID: clientAuditID = clientAuditID ?? field.value
        case .secWebSocketProtocol: hasWebSocketProtocols = true
        default: try impersonation.read(field)
        }
      }
    }

    var stripped = head
    if options.namesOtherFields { stripped.fields.removeAll(where: options.names) }
    if fromTrustedPeer, stripped.fields.contains(.xForwarded) {
      stripped.fields.removeAll { $0.known == .xForwarded && !$0.isSpelledAsDefined }
      stripped.fields.removeAll(Self.strippedKinds.subtracting(KnownFields(.xForwarded)))
    } else {
      stripped.fields.removeAll(Self.strippedKinds)
    }
    let mayUpgrade = options.namesUpgrade && head.version == .http11
    self.requestedUpgrade = mayUpgrade ? upgrades : []
    self.upgrade = Self.upgrade(to: self.requestedUpgrade, by: head)
    // A length of zero is said by clients that ask by POST, and harms nobody.
    guard self.upgrade == nil || !head.framing.hasContent else { throw .upgradeWithBody }
    if hasWebSocketProtocols, let token = try WebSocketToken.take(from: &stripped.fields), self.requestedUpgrade.contains("websocket") {
      // Without an upgrade the API server does not believe such a token either.
      authorization.append(token)
    }
    self.ownCookies = stripped.fields.contains(.cookie) ? OwnCookies.take(from: &stripped.fields) : nil
    self.head = stripped
    self.impersonation = try impersonation.requested()
    self.authorization = authorization
    self.clientAuditID = clientAuditID
  }

  /// The same without ``authorization`` and ``ownCookies``: what is kept for long should hold no secret.
  public var withoutCredentials: StrippedRequest { StrippedRequest(withoutCredentials: self) }

  private init(withoutCredentials request: StrippedRequest) {
    self.head = request.head
    self.impersonation = request.impersonation
    self.origin = request.origin
    self.authorization = []
    self.ownCookies = nil
    self.clientAuditID = request.clientAuditID
    self.requestedUpgrade = request.requestedUpgrade
    self.upgrade = request.upgrade
  }

  /// What is read before it is taken out, or looked into.
  private static let readKinds: KnownFields = KnownFields { field in
    switch field {
    case .connection, .upgrade, .authorization, .auditID, .secWebSocketProtocol, .impersonateUser, .impersonateUID, .impersonateGroup,
      .impersonateExtra, .impersonateOther:
      true
    default: false
    }
  }

  private static let strippedKinds: KnownFields = .hopByHop.union(.identity)

  private static func upgrade(to requested: [String], by head: RequestHead) -> UpgradeProtocol? {
    // A client that has the connection end behind the answer cannot mean to go on in another protocol.
    guard requested.count == 1, head.keepsConnection, let upgrade = UpgradeProtocol(name: requested[0]) else { return nil }
    return upgrade.isAsked(by: head.method) ? upgrade : nil
  }

  /// The fields of a request's trailer section that may go on: those that no station knows.
  ///
  /// Framing, routing and credentials have no business behind the body (RFC 9110 section 6.5.1), and some servers merge
  /// trailers into the header.
  public static func strip(trailers: HeaderFields) -> HeaderFields {
    var stripped = trailers
    stripped.removeAll { $0.known != nil }
    return stripped
  }
}

extension Problem {
  static let upgradeWithBody = Problem(
    "upgradeWithBody", blame: .client, status: 400, message: "A request that asks for another protocol (Upgrade) must not have a body.")
}

extension HeaderFields.Field {
  /// Whether the name's words are separated by `-` alone. A trusted peer replaces what a client sent under the name as it is defined, and
  /// may pass on the client's own under the other spelling.
  var isSpelledAsDefined: Bool { self.withName { NameFolding.isSpelledAsDefined($0) } }
}

public import SallyportWire

/// A request without anything by which a client could pass itself off as somebody: the first proof of the way.
///
/// Stripping is done here, before any branch, for every request, also for those that end at an own path or in an error:
/// - `X-Remote-*`, `Proxy-Authorization`, `Audit-ID`, in every spelling (letter case, `_` for `-`), and `X-Forwarded-*`,
///   `Forwarded`, `X-Real-Ip` unless a trusted peer sent them, go;
/// - hop-by-hop fields and every field that `Connection` names go;
/// - `Impersonate-*` moves into ``impersonation``, `Authorization` into ``authorization``.
public struct StrippedRequest: Sendable {
  public let head: RequestHead
  public let impersonation: RequestedImpersonation?
  /// The `Authorization` fields' values, most often one.
  public let authorization: [Secret]
  /// What the client sent as `Audit-ID`, for the audit record.
  public let clientAuditID: String?

  /// Strips a request.
  ///
  /// - Throws: ``Problem`` (400) for an `Impersonate-*` combination that kube-apiserver refuses or ignores silently
  ///   (group, uid or extra without user; an unknown name; several users), and for a value that is no UTF-8.
  public init(stripping head: RequestHead, fromTrustedPeer: Bool) throws(Problem) {
    fatalError("being written")
  }
}

public import SallyportCore

/// One thing that somebody must have the right to impersonate (kubernetes/apiserver, endpoints/filters/impersonation): the
/// attributes of one question about access.
public struct ImpersonationDemand: Sendable, Hashable {
  public let group: String
  public let resource: String
  public let subresource: String
  public let namespace: String
  public let name: String

  private init(_ resource: String, group: String = "", subresource: String = "", namespace: String = "", name: String) {
    self.group = group
    self.resource = resource
    self.subresource = subresource
    self.namespace = namespace
    self.name = name
  }

  /// What an impersonation asks for, one demand a value.
  static func all(of wanted: RequestedImpersonation) -> [ImpersonationDemand] {
    var demands = [self.user(wanted.user)]
    demands += wanted.groups.map { Self("groups", name: $0) }
    if let uid = wanted.uid { demands.append(Self("uids", group: Self.authentication, name: uid)) }
    for attribute in wanted.extra {
      demands += attribute.values.map { Self("userextras", group: Self.authentication, subresource: attribute.key, name: $0) }
    }
    return demands
  }

  private static let authentication = "authentication.k8s.io"

  /// A service account is asked for as what it is.
  private static func user(_ name: String) -> ImpersonationDemand {
    let parts = name.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 4, name.utf8.starts(with: "system:serviceaccount:".utf8), !parts[2].isEmpty, !parts[3].isEmpty else {
      return Self("users", name: name)
    }
    return Self("serviceaccounts", namespace: String(parts[2]), name: String(parts[3]))
  }
}

/// Asks an API server whether a user has the right to impersonate.
public protocol ImpersonationReviewer: Sendable {
  /// Whether all of it is allowed, asked about one by one (`SubjectAccessReview`, authorization.k8s.io/v1).
  ///
  /// - Throws: ``Problem`` where that cannot be found out
  func allows(_ demands: [ImpersonationDemand], to identity: Identity) async throws(Problem) -> Bool
}

import Logging
import NIOCore
import SallyportAuthentication
import SallyportCore
import SallyportCredential
import SallyportPolicy
import SallyportUpstream

/// Who the gateway is when it asks an API server for its description.
///
/// Neither a client nor anybody of Kubernetes' own: a user that RBAC can tell apart. It needs no more than
/// `system:discovery`, which every authenticated user has unless somebody took it away.
struct DiscoveryUser: Sendable, Hashable {
  var username = "sallyport"
  var groups = ["sallyport:discovery"]
}

extension CatalogueSource {
  /// A source that asks an upstream of kind `kubernetes` (`openapi: upstream`).
  ///
  /// - Parameters:
  ///   - credential: the credential of a route to this upstream; it must be one that can state an identity
  ///     (`requestHeaders`), since an upstream that is told nobody answers 401 or less than it serves
  ///   - previous: the one of before, whose last good catalogue this one begins with
  ///   - eventLoop: one of the group that the upstream was made for
  /// - Throws: ``StartFault`` for a user that is nobody's to be
  static func asking(
    _ upstream: Upstream, credential: CredentialSource, as user: DiscoveryUser = DiscoveryUser(), limits: Limits = Limits(),
    eventLoop: any EventLoop, logger: Logger, continuing previous: CatalogueSource? = nil,
    onChange: @escaping @Sendable (Catalogue) -> Void
  ) throws(StartFault) -> CatalogueSource {
    guard let identity = Identity.ownIdentity(username: user.username, groups: user.groups) else {
      throw StartFault(["\(upstream.name): the gateway's own user or one of its groups is empty or begins with system:"])
    }
    let transport = UpstreamDiscovery(upstream: upstream, credential: credential, identity: identity, eventLoop: eventLoop)
    return CatalogueSource(
      upstream: upstream.name, transport: transport, limits: limits, logger: logger, continuing: previous, onChange: onChange)
  }
}

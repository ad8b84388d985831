public import SallyportCore

/// Judges the names of an identity once more before somebody vouches for them by a signature, or by rights to act as anybody.
///
/// What begins with `system:` is Kubernetes' own, and an upstream that believes the gateway takes `system:masters` from a
/// token or a certificate as it would from itself. Authentication has refused such names; a fault there must not end in a
/// credential. By bytes, as the API server compares.
public struct ReservedNames: Sendable {
  private let allowed: Set<String>

  /// - Parameter allowed: names that the configuration lists although they are reserved
  public init(allowed: Set<String> = []) { self.allowed = allowed }

  /// - Throws: ``Problem/nameReserved``
  public func check(_ identity: Identity) throws(Problem) {
    for name in [identity.username] + identity.groups where !self.mayHave(name, identity) {
      throw .nameReserved.with(detail: "a name of \(identity.method.rawValue) begins with `system:` and is not in allowSystemNames")
    }
  }

  private func mayHave(_ name: String, _ identity: Identity) -> Bool {
    guard name.utf8.starts(with: "system:".utf8) else { return true }
    // The cluster itself has vouched for its service accounts.
    if identity.method == .tokenReview, name.utf8.starts(with: "system:serviceaccount".utf8) { return true }
    return self.allowed.contains { $0.utf8.elementsEqual(name.utf8) }
  }
}

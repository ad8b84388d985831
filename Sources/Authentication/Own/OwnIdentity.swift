@_spi(Authenticator) public import SallyportCore

extension Identity {
  /// Who the gateway is where it asks an upstream something for itself. No client can present it: it is no answer of the
  /// authenticator's.
  ///
  /// - Returns: `nil` for a name or group that is empty or begins with `system:`, which is Kubernetes' own
  public static func ownIdentity(username: String, groups: [String]) -> Identity? {
    guard ([username] + groups).allSatisfy({ !$0.isEmpty && !$0.utf8.starts(with: "system:".utf8) }) else { return nil }
    return Identity(username: username, groups: groups, method: .gateway)
  }
}

import SallyportStrictYAML

extension CrossReferences {
  /// Whether there are tokens for the gateway itself.
  var issuesOwnTokens: Bool {
    self.issuer != nil && self.credentials.contains { $0.value?.kind.mintedAudience == GatewayConfiguration.ownAudience }
  }

  /// An API server that took the tokens that others hold would be reached without the gateway.
  func checkTokenExchange() {
    for route in self.routes {
      guard let value = route.value,
        self.upstreams.compactMap(\.value).first(where: { $0.name == value.upstream })?.kind == .kubernetes,
        self.credentials.compactMap(\.value).first(where: { $0.name == value.credential })?.kind.mintedAudience
          == GatewayConfiguration.ownAudience
      else { continue }
      route.yaml["credential"].fault(
        "shows an API server tokens for `\(GatewayConfiguration.ownAudience)`, which is this gateway's own audience",
        "give the API server an audience of its own")
    }
  }
}

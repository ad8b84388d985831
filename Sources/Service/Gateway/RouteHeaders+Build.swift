import SallyportConfiguration
import SallyportCredential

extension RouteHeaders {
  /// - Returns: `nil` for a route that neither sets nor removes fields
  convenience init?(_ rules: GatewayConfiguration.Route.HeaderRules, of route: String) {
    guard !rules.isEmpty else { return nil }
    self.init(
      route: route, settings: rules.set.map { Setting(name: $0.name, template: $0.template) }, removed: rules.remove)
  }
}

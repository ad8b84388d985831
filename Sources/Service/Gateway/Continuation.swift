import SallyportAuthentication
import SallyportListener
import SallyportPortal

/// What goes on from one generation to the next.
struct Continuation: Sendable {
  let memory: AuthenticationMemory
  let routeNumbers: RouteNumbers
  let catalogues: CatalogueKeeper
  /// By which forms that are open in a browser are known again.
  let formTokens: FormTokens
  let sessionEndings: SessionEndings
  /// The generation before; `nil` for the first.
  var generation: Generation?
  /// The listeners that are there already, the admin listener among them, by their names.
  var listeners: [String: Listener]

  /// Where nothing was before.
  init(catalogues limits: CatalogueSource.Limits = .init()) {
    self.catalogues = CatalogueKeeper(limits: limits)
    self.memory = AuthenticationMemory()
    self.routeNumbers = RouteNumbers()
    self.formTokens = .random()
    self.sessionEndings = SessionEndings()
    self.listeners = [:]
  }
}

import Crypto
import SallyportAuthentication
import SallyportListener

/// What goes on from one generation to the next.
struct Continuation: Sendable {
  let memory: AuthenticationMemory
  let routeNumbers: RouteNumbers
  let catalogues: CatalogueKeeper
  /// By which forms that are open in a browser, and sign-ins that lead by way of a provider, are known again.
  let formKey: SymmetricKey
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
    self.formKey = SymmetricKey(size: .bits256)
    self.sessionEndings = SessionEndings()
    self.listeners = [:]
  }
}

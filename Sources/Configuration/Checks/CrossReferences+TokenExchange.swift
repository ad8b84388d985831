import SallyportCore
import SallyportStrictYAML

extension CrossReferences {
  private var clients: [GatewayConfiguration.Issuer.Client] { self.issuer?.tokenExchange?.clients ?? [] }

  /// What tokens are there for the gateway itself, and who uses which way to sign in for them.
  var issuesOwnTokens: Bool {
    GatewayConfiguration.issuesOwnTokens(issuer: self.issuer, credentials: self.credentials.compactMap(\.value))
  }

  /// The ways in that are of use although no route accepts them.
  var methodsOfTokenClients: Set<GatewayConfiguration.Route.Method> {
    var methods: Set<GatewayConfiguration.Route.Method> = self.clients.isEmpty ? [] : [.token]
    for client in self.clients {
      switch client.authentication {
      case .public(let signIn):
        if signIn.contains(.password) { methods.insert(.password) }
        if signIn.contains(.clientCertificate) { methods.insert(.clientCertificate) }
      case .certificate: methods.insert(.clientCertificate)
      case .secret: break
      }
    }
    return methods
  }

  /// Tokens for clients: nobody gets past the gateway by one, and whatever a client may do must be possible.
  func checkTokenExchange() {
    self.checkOwnAudience()
    let list = self.document["issuer"]["tokenExchange"]["clients"]
    // Where one could not be read, the places of the others are not known.
    guard let exchange = self.issuer?.tokenExchange, list.itemCount == exchange.clients.count else { return }
    let direct = Set(self.credentials.compactMap { $0.value?.kind.mintedAudience }).subtracting([OwnAudience.name])
    for (index, client) in exchange.clients.enumerated() {
      let yaml = list[index]
      if exchange.clients[..<index].contains(where: { $0.id == client.id }) {
        yaml["id"].fault("is the id of an earlier client", "choose another")
      }
      for (number, audience) in client.audiences.enumerated() where direct.contains(audience) && !client.insecureDirectAudience {
        yaml["audiences"][number].fault(
          "is an upstream's own: whoever holds a token for it goes past the gateway", "remove it, or set insecureDirectAudience: true here")
      }
      if client.insecureDirectAudience, direct.isDisjoint(with: client.audiences) {
        yaml["insecureDirectAudience"].fault("is true, and no audience is an upstream's own", "remove it")
      }
      self.checkAuthentication(of: client, at: yaml)
    }
    if self.issuesOwnTokens, !self.routes.isEmpty, self.routes.allSatisfy({ $0.value?.authenticate.contains(.token) == false }) {
      self.document["issuer"]["tokenExchange"].fault(
        "has tokens for this gateway, and no route accepts them", "list token in a route's `authenticate`")
    }
  }

  /// An API server that took the tokens that clients hold would be reached without the gateway.
  private func checkOwnAudience() {
    for route in self.routes {
      guard let value = route.value,
        self.upstreams.compactMap(\.value).first(where: { $0.name == value.upstream })?.kind == .kubernetes,
        self.credentials.compactMap(\.value).first(where: { $0.name == value.credential })?.kind.mintedAudience
          == OwnAudience.name
      else { continue }
      route.yaml["credential"].fault(
        "shows an API server tokens for `\(OwnAudience.name)`, which is this gateway's own audience",
        "give the API server an audience of its own")
    }
  }

  private func checkAuthentication(of client: GatewayConfiguration.Issuer.Client, at yaml: YAMLCursor) {
    switch client.authentication {
    case .secret: break
    case .certificate: self.checkCertificates(at: yaml["certificateUser"])
    case .public(let signIn):
      let list = yaml["public"]["signIn"]
      for (index, method) in signIn.enumerated() {
        if signIn[..<index].contains(method) { list[index].fault("stands in the list twice", "remove it") }
        switch method {
        case .clientCertificate: self.checkCertificates(at: list[index])
        case .password:
          if self.authentication.passwords.isEmpty, self.document["authentication"]["passwords"].itemCount ?? 0 == 0 {
            list[index].fault("is not configured", "add authentication.passwords")
          }
        }
      }
    }
  }

  private func checkCertificates(at yaml: YAMLCursor) {
    if self.authentication.clientCertificates == nil {
      yaml.fault("is not configured", "add authentication.clientCertificates")
    } else if !self.listeners.contains(where: { $0.value == nil || $0.value?.tls.clientCAFile != nil }) {
      yaml.fault("cannot happen: no listener has a clientCAFile", "add tls.clientCAFile to a listener")
    }
  }
}

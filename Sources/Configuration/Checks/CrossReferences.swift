import SallyportStrictYAML

/// What only shows when the sections are seen together: names that are taken twice or lead nowhere, settings without an
/// effect, routes that nothing reaches.
struct CrossReferences {
  let document: YAMLCursor
  let listeners: [Located<GatewayConfiguration.Listener>]
  let authentication: GatewayConfiguration.Authentication
  let credentials: [Located<GatewayConfiguration.Credential>]
  let upstreams: [Located<GatewayConfiguration.Upstream>]
  let routes: [Located<GatewayConfiguration.Route>]
  let policy: GatewayConfiguration.Policy
  let admin: GatewayConfiguration.Admin?
  let issuer: GatewayConfiguration.Issuer?

  func check() {
    self.checkUniqueness(of: self.listeners, "listener")
    self.checkUniqueness(of: self.credentials, "credential")
    self.checkUniqueness(of: self.upstreams, "upstream")
    self.checkUniqueness(of: self.routes, "route")
    self.checkAddresses()
    for route in self.routes {
      self.checkReference(of: route, "upstream", in: self.upstreams)
      self.checkReference(of: route, "credential", in: self.credentials)
    }
    self.checkUse(of: self.upstreams, by: "upstream")
    self.checkUse(of: self.credentials, by: "credential")
    self.checkTokenCredentials()
    for (index, route) in self.routes.enumerated() {
      guard let value = route.value else { continue }
      self.checkCredential(of: value, at: route.yaml)
      self.checkMethods(of: value, at: route.yaml)
      self.checkRequirement(of: value, at: route.yaml)
      self.checkAnonymousPaths(of: value, at: route.yaml)
      self.checkReach(of: value, at: route.yaml, behind: self.routes[..<index].compactMap(\.value))
    }
    self.checkUseOfAuthentication()
    self.checkSignIn()
    self.checkTokenReviews()
    self.checkIssuer()
    self.checkOrderOfPasswords()
    self.checkPolicies()
  }

  // MARK: Names

  private func checkUniqueness<Value>(of items: [Located<Value>], _ noun: String) {
    var seen: Set<String> = []
    for item in items {
      guard let name = item.name, !seen.insert(name).inserted else { continue }
      item.yaml["name"].fault("is the name of an earlier \(noun)", "choose another")
    }
  }

  private func checkAddresses() {
    var seen: Set<HostAndPort> = []
    for listener in self.listeners {
      guard let address = listener.value?.address, address.port != 0, !seen.insert(address).inserted else { continue }
      listener.yaml["address"].fault("is the address of an earlier listener", "choose another")
    }
    if let admin = self.admin?.address, seen.contains(admin) {
      self.document["admin"]["address"].fault("is the address of a listener", "choose another")
    }
  }

  private func checkReference<Value>(of route: Located<GatewayConfiguration.Route>, _ key: String, in items: [Located<Value>]) {
    guard let name = route.yaml[key].scalarText, !items.contains(where: { $0.name == name }) else { return }
    let known = items.compactMap(\.name).sorted()
    let remedy = NearestName.of(name, among: known).map { "did you mean `\($0)`?" } ?? "add it to `\(key)s`, or name one of those"
    route.yaml[key].fault("names no \(key)", remedy)
  }

  private func checkUse<Value>(of items: [Located<Value>], by key: String) {
    let used = Set(self.routes.compactMap { $0.yaml[key].scalarText })
    for item in items {
      guard let name = item.name, !used.contains(name) else { continue }
      item.yaml["name"].fault("is used by no route", "remove the \(key), or name it in a route")
    }
  }

  // MARK: Routes

  /// Whoever may open a connection as the front proxy may be anybody: never in the clear, never to an unverified server.
  private func checkCredential(of route: GatewayConfiguration.Route, at yaml: YAMLCursor) {
    guard let credential = self.credentials.compactMap(\.value).first(where: { $0.name == route.credential }),
      let upstream = self.upstreams.compactMap(\.value).first(where: { $0.name == route.upstream }),
      credential.kind.statesIdentity
    else { return }
    if !upstream.isEncrypted {
      yaml["credential"].fault("would present identities to an upstream without TLS", "use https servers, or a credential of kind none")
    } else if upstream.caFile == nil {
      yaml["credential"].fault("would present identities to an upstream without a caFile", "add caFile to the upstream")
    }
  }

  private func checkMethods(of route: GatewayConfiguration.Route, at yaml: YAMLCursor) {
    let list = yaml["authenticate"]
    if route.authenticate.isEmpty, route.anonymous.isEmpty, list.itemCount == 0 {
      list.fault("lets nobody in", "list clientCertificate, password, token or session, or open paths with `anonymous`")
    }
    for (index, method) in route.authenticate.enumerated() {
      if route.authenticate[..<index].contains(method) { list[index].fault("stands in the list twice", "remove it") }
      switch method {
      case .clientCertificate:
        if self.authentication.clientCertificates == nil {
          list[index].fault("is not configured", "add authentication.clientCertificates")
        } else if !self.listeners.contains(where: { $0.value == nil || $0.value?.tls.clientCAFile != nil }) {
          list[index].fault("cannot happen: no listener has a clientCAFile", "add tls.clientCAFile to a listener")
        }
      case .password:
        if self.authentication.passwords.isEmpty, self.document["authentication"]["passwords"].itemCount ?? 0 == 0 {
          list[index].fault("is not configured", "add authentication.passwords")
        }
      case .token:
        if self.authentication.tokens.isEmpty, self.document["authentication"]["tokens"].itemCount ?? 0 == 0 {
          list[index].fault("is not configured", "add authentication.tokens")
        }
      case .session:
        if self.authentication.signIn == nil { list[index].fault("is not configured", "add authentication.signIn") }
      }
    }
  }

  /// What only a token can have is asked of nobody where no token is accepted.
  private func checkRequirement(of route: GatewayConfiguration.Route, at yaml: YAMLCursor) {
    guard let require = route.require else { return }
    let section = yaml["require"]
    guard require != .init() else {
      section.fault("requires nothing", "remove it, or name scopes, audiences, issuers or methods")
      return
    }
    if !route.authenticate.contains(.token), !(require.scopes.isEmpty && require.audiences.isEmpty && require.issuers.isEmpty) {
      section.fault("asks for facts of a token, and the route accepts none", "list token in the route's `authenticate`")
    }
    for (index, method) in require.methods.enumerated() {
      let isPossible =
        switch method {
        case .clientCertificate: route.authenticate.contains(.clientCertificate)
        case .passwordFile, .ldap, .pam: route.authenticate.contains(.password)
        case .jwt, .introspection, .tokenReview: route.authenticate.contains(.token)
        case .session: route.authenticate.contains(.session)
        }
      if !isPossible { section["methods"][index].fault("is not accepted by the route", "remove it, or extend the route's `authenticate`") }
    }
  }

  /// A cluster is asked about tokens as somebody, over connections on which it believes that.
  private func checkTokenReviews() {
    let tokens = self.document["authentication"]["tokens"]
    var seen: Set<String> = []
    for index in 0..<(tokens.itemCount ?? 0) {
      let yaml = tokens[index]["tokenReview"]["upstream"]
      guard let name = yaml.scalarText else { continue }
      guard seen.insert(name).inserted else {
        yaml.fault("is asked already", "remove one of the two")
        continue
      }
      guard let upstream = self.upstreams.first(where: { $0.name == name }) else {
        let remedy = NearestName.of(name, among: self.upstreams.compactMap(\.name).sorted()).map { "did you mean `\($0)`?" }
        yaml.fault("names no upstream", remedy ?? "add it to `upstreams`, or name one of those")
        continue
      }
      // What is wrong with the upstream's kind, its use or a route's credential was reported as such.
      let kind = upstream.yaml["kind"].scalarText ?? GatewayConfiguration.Upstream.Kind.generic.rawValue
      guard kind != GatewayConfiguration.Upstream.Kind.generic.rawValue else {
        yaml.fault("names an upstream that is no API server", "name one of kind kubernetes")
        continue
      }
      let used = self.routes.filter { $0.yaml["upstream"].scalarText == name }.map { $0.yaml["credential"].scalarText }
      let mayState =
        used.isEmpty
        || used.contains { credential in
          guard let value = self.credentials.first(where: { $0.name == credential })?.value else { return true }
          return value.kind.canAskForItself
        }
      if !mayState {
        yaml.fault("cannot be asked: no route to it has a credential that says who asks", "add a route to it with such a credential")
      }
    }
  }

  /// Who passes a token on needs clients that have one.
  private func checkTokenCredentials() {
    for route in self.routes {
      guard let value = route.value, let kind = self.credentials.first(where: { $0.name == value.credential })?.value?.kind,
        kind == .passthrough || kind == .phantomToken(audience: nil), !value.authenticate.contains(.token), !value.authenticate.isEmpty
      else { continue }
      route.yaml["credential"].fault("passes tokens on, and the route accepts none", "list token in the route's `authenticate`")
    }
  }

  /// Tokens need somebody who signs them, and whoever signs needs somebody who shows the tokens.
  private func checkIssuer() {
    let isConfigured = self.document["issuer"].place != self.document.place
    var isUsed = false
    for credential in self.credentials {
      guard let value = credential.value else {
        isUsed = true
        continue
      }
      guard value.kind.isSignedByIssuer else { continue }
      isUsed = true
      if !isConfigured { credential.yaml.fault("needs an issuer that signs its tokens", "add the section issuer") }
    }
    if isConfigured, self.issuer != nil, !isUsed {
      self.document["issuer"].fault(
        "signs for no credential", "remove it, or add a credential of kind idToken, or an audience to a phantomToken")
    }
  }

  private func checkAnonymousPaths(of route: GatewayConfiguration.Route, at yaml: YAMLCursor) {
    for (index, path) in route.anonymous.enumerated() {
      if route.anonymous[..<index].contains(path) {
        yaml["anonymous"][index].fault("stands in the list twice", "remove it")
      } else if !RequestPathText.contains(route.match.path, path) {
        yaml["anonymous"][index].fault("is not below the route's path", "name a path that this route matches")
      }
    }
  }

  /// The first route that matches decides, so one that lies wholly behind others never does.
  private func checkReach(of route: GatewayConfiguration.Route, at yaml: YAMLCursor, behind earlier: [GatewayConfiguration.Route]) {
    func shadow(_ host: String?) -> String? {
      earlier.first { other in
        let hasHost = other.match.hosts.isEmpty || host.map(other.match.hosts.contains) ?? false
        return hasHost && RequestPathText.contains(other.match.path, route.match.path)
      }?.name
    }
    let hosts: [String?] = route.match.hosts.isEmpty ? [nil] : route.match.hosts
    let shadows = hosts.map(shadow)
    guard let first = shadows.first ?? nil, !shadows.contains(nil) else { return }
    yaml.fault("is never reached: the earlier route `\(first)` matches all its requests", "move it up, or narrow the earlier route")
  }

  /// Which policies there are shows when their files are read; here is seen what no file can mend.
  private func checkPolicies() {
    for route in self.routes {
      let list = route.yaml["policies"]
      let names = (0..<(list.itemCount ?? 0)).map { list[$0].scalarText }
      for (index, name) in names.enumerated() where name != nil && names[..<index].contains(name) {
        list[index].fault("stands in the list twice", "remove it")
      }
      if let first = names.first, first != nil, self.document["policy"].place == self.document.place {
        list[0].fault("names a policy, and there are no policy files", "add policy.files")
      }
    }
    guard !self.policy.files.isEmpty, !self.routes.isEmpty, self.routes.allSatisfy({ $0.value?.policies?.isEmpty == true }) else { return }
    self.document["policy"].fault("is used by no route", "remove it, or name a policy in a route's `policies`")
  }

  // MARK: Passwords

  /// Where a directory cannot tell an unknown name from a wrong password, it has the say about every name.
  private func checkOrderOfPasswords() {
    for (index, store) in self.authentication.passwords.dropLast().enumerated() {
      guard case .ldap(let ldap) = store, !ldap.knowsItsUsers else { continue }
      self.document["authentication"]["passwords"][index].fault(
        "does not know its users without a bindDN, so that no store behind it is ever asked", "add bindDN, or move it to the end")
    }
  }

  // MARK: Settings without an effect

  private func checkUseOfAuthentication() {
    guard !self.routes.contains(where: { $0.value == nil }) else { return }
    let used = Set(self.routes.flatMap { $0.value?.authenticate ?? [] })
    let section = self.document["authentication"]
    if self.authentication.clientCertificates != nil, !used.contains(.clientCertificate),
      self.authentication.signIn?.clientCertificate != true
    {
      section["clientCertificates"].fault("is used by no route", "remove it, or list clientCertificate in a route's `authenticate`")
    }
    if !self.authentication.passwords.isEmpty, !used.contains(.password), self.authentication.signIn?.form != true {
      section["passwords"].fault("is used by no route", "remove it, or list password in a route's `authenticate`")
    }
    if !self.authentication.tokens.isEmpty, !used.contains(.token) {
      section["tokens"].fault("is used by no route", "remove it, or list token in a route's `authenticate`")
    }
  }
}

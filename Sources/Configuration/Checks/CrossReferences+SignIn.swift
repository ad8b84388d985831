import SallyportStrictYAML

extension CrossReferences {
  /// Whoever is to sign in needs something to do it with, and a route where it is of use.
  func checkSignIn() {
    guard let signIn = self.authentication.signIn else { return }
    let section = self.document["authentication"]["signIn"]
    // A provider that has faults of its own was meant to let people in.
    if !signIn.form, !signIn.clientCertificate, signIn.oidc.isEmpty, section["oidc"].place == section.place {
      section.fault("lets nobody sign in", "set form or clientCertificate to true, or add oidc")
    }
    self.checkProviders(signIn.oidc, section["oidc"])
    if signIn.form, self.authentication.passwords.isEmpty, self.document["authentication"]["passwords"].itemCount ?? 0 == 0 {
      section["form"].fault("has no password store to ask", "add authentication.passwords, or set form to false")
    }
    if signIn.clientCertificate {
      if self.authentication.clientCertificates == nil {
        section["clientCertificate"].fault("is not configured", "add authentication.clientCertificates")
      } else if !self.listeners.contains(where: { $0.value == nil || $0.value?.tls.clientCAFile != nil }) {
        section["clientCertificate"].fault("cannot happen: no listener has a clientCAFile", "add tls.clientCAFile to a listener")
      }
    }
    if signIn.session.idle > signIn.session.lifetime {
      section["session"]["idle"].fault("is longer than the session's lifetime", "write a time of at most `lifetime`")
    }
    guard self.routes.allSatisfy({ $0.value != nil }), !self.routes.contains(where: { $0.value?.authenticate.contains(.session) == true })
    else { return }
    section.fault("is used by no route", "remove it, or list session in a route's `authenticate`")
  }

  /// Each provider has an issuer and a callback path of its own: by the path it shows who has sent somebody back (RFC 9700 section
  /// 4.4).
  private func checkProviders(_ providers: [GatewayConfiguration.Authentication.OpenID], _ section: YAMLCursor) {
    // A list with faults has fewer entries than the file, and its places do not match.
    guard section.itemCount ?? 1 == providers.count else { return }
    for (index, provider) in providers.enumerated() {
      let yaml = section.itemCount == nil ? section : section[index]
      let earlier = providers[..<index]
      if earlier.contains(where: { $0.issuer.utf8.elementsEqual(provider.issuer.utf8) }) {
        yaml["issuer"].fault("is the issuer of an earlier provider", "remove one of the two")
      }
      if earlier.contains(where: { $0.name == provider.name }) {
        yaml["name"].fault("is the name of an earlier provider", "choose another")
      }
      guard earlier.contains(where: { $0.id == provider.id }) else { continue }
      if provider.id == nil {
        yaml.fault("has the same callback path as an earlier provider", "add an `id`, which becomes the last part of the path")
      } else {
        yaml["id"].fault("is the id of an earlier provider", "choose another")
      }
    }
  }
}

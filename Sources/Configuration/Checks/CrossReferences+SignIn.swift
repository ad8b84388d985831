import SallyportStrictYAML

extension CrossReferences {
  /// Whoever is to sign in needs something to do it with, and a route where it is of use.
  func checkSignIn() {
    guard let signIn = self.authentication.signIn else { return }
    let section = self.document["authentication"]["signIn"]
    if !signIn.form, !signIn.clientCertificate {
      section.fault("lets nobody sign in", "set form or clientCertificate to true")
    }
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
}

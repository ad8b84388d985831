import SallyportStrictYAML

extension GatewayConfiguration {
  /// A named way to be someone at an upstream.
  public struct Credential: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
      /// `X-Remote-*` fields, believed because of the connection's client certificate.
      case requestHeaders(certificateFile: NamedFile, privateKeyFile: NamedFile)
      /// An id_token of the gateway's own for this audience.
      case idToken(audience: String)
      /// A client certificate that is made for the user.
      case clientCertificate(ClientCertificate)
      /// `Impersonate-*` fields, by the rights of a token or certificate of the gateway's own.
      case impersonation(ImpersonationProof)
      /// The signed token that introspection answered with, or an id_token for this audience, where there is one.
      case phantomToken(audience: String?)
      /// The client's own token.
      case passthrough
      /// The upstream is told nothing.
      case nothing
    }

    /// By what an upstream knows the gateway that impersonates.
    public enum ImpersonationProof: Sendable, Equatable {
      /// Read anew when it changes.
      case token(file: NamedFile)
      case certificate(certificateFile: NamedFile, privateKeyFile: NamedFile)
    }

    /// How client certificates are made for users.
    public struct ClientCertificate: Sendable, Equatable {
      /// What may be copied of a subject (RFC 4519).
      public enum SubjectPart: String, Sendable, CaseIterable {
        case organizationalUnit, country, locality, stateOrProvince, serialNumber, emailAddress, domainComponent, userID
      }
      /// A kind of subject alternative name.
      public enum AlternativeName: String, Sendable, CaseIterable {
        case email, uri, dns
      }

      public let caCertificateFile: NamedFile
      public let caPrivateKeyFile: NamedFile
      public let lifetime: Duration
      public let copySubject: [SubjectPart]
      public let copyAlternativeNames: [AlternativeName]
      /// Object identifiers.
      public let copyExtensions: [String]
    }

    public let name: String
    public let kind: Kind
  }
}

extension GatewayConfiguration.Credential.Kind {
  /// Whether it must go to nobody but the upstream: it is good for being somebody there.
  var statesIdentity: Bool { self != .nothing }

  /// Whether the gateway itself can be somebody by it.
  var canAskForItself: Bool {
    switch self {
    case .requestHeaders, .idToken, .clientCertificate, .impersonation: true
    case .phantomToken(let audience): audience != nil
    case .passthrough, .nothing: false
    }
  }

  /// Whether the issuer signs what is shown.
  var isSignedByIssuer: Bool {
    switch self {
    case .idToken: true
    case .phantomToken(let audience): audience != nil
    case .requestHeaders, .clientCertificate, .impersonation, .passthrough, .nothing: false
    }
  }
}

extension GatewayConfiguration.Credential {
  init?(_ yaml: YAMLCursor) {
    let credential: Self? = yaml.mapping { keys in
      let name = keys.required("name")?.name()
      let kind: Kind? = keys.exactlyOne(of: [
        "requestHeaders": Kind.requestHeaders, "idToken": Kind.idToken, "clientCertificate": Kind.clientCertificate,
        "impersonation": Kind.impersonation, "phantomToken": Kind.phantomToken, "passthrough": Kind.passthrough, "none": Kind.none,
      ])
      guard let name, let kind else { return nil }
      return Self(name: name, kind: kind)
    }
    guard let credential else { return nil }
    self = credential
  }
}

extension GatewayConfiguration.Credential.Kind {
  fileprivate static func requestHeaders(_ yaml: YAMLCursor) -> Self? {
    yaml.mapping { keys in
      let certificate = keys.required("certificateFile")?.file()
      let privateKey = keys.required("privateKeyFile")?.file()
      guard let certificate, let privateKey else { return nil }
      return .requestHeaders(certificateFile: certificate, privateKeyFile: privateKey)
    }
  }

  fileprivate static func idToken(_ yaml: YAMLCursor) -> Self? {
    yaml.mapping { keys in
      guard let audience = keys.required("audience")?.text() else { return nil }
      return .idToken(audience: audience)
    }
  }

  fileprivate static func clientCertificate(_ yaml: YAMLCursor) -> Self? {
    typealias Section = GatewayConfiguration.Credential.ClientCertificate
    return yaml.mapping { keys in
      let certificate = keys.required("caCertificateFile")?.file()
      let privateKey = keys.required("caPrivateKeyFile")?.file()
      let lifetime = keys.optional("lifetime").map { $0.duration(in: .seconds(60)...(.seconds(3600))) } ?? .seconds(3600)
      let copies = keys.optional("copy").map(Copies.init) ?? Copies()
      guard let certificate, let privateKey, let lifetime, let copies else { return nil }
      return .clientCertificate(
        Section(
          caCertificateFile: certificate, caPrivateKeyFile: privateKey, lifetime: lifetime, copySubject: copies.subject,
          copyAlternativeNames: copies.alternativeNames, copyExtensions: copies.extensions))
    }
  }

  fileprivate static func impersonation(_ yaml: YAMLCursor) -> Self? {
    yaml.mapping { keys in
      let token = keys.optional("tokenFile")
      let certificate = keys.optional("certificateFile")
      let privateKey = keys.optional("privateKeyFile")
      switch (token, certificate, privateKey) {
      case (let token?, nil, nil): return token.file().map { .impersonation(.token(file: $0)) }
      case (nil, let certificate?, let privateKey?):
        guard let certificate = certificate.file(), let privateKey = privateKey.file() else { return nil }
        return .impersonation(.certificate(certificateFile: certificate, privateKeyFile: privateKey))
      default:
        yaml.fault("needs a token or a certificate", "write tokenFile, or certificateFile and privateKeyFile")
        return nil
      }
    }
  }

  fileprivate static func phantomToken(_ yaml: YAMLCursor) -> Self? {
    yaml.mapping { keys in
      guard let audience = keys.optional("audience") else { return .phantomToken(audience: nil) }
      return audience.text().map { .phantomToken(audience: $0) }
    }
  }

  fileprivate static func passthrough(_ yaml: YAMLCursor) -> Self? {
    yaml.mapping { _ in .passthrough }
  }

  fileprivate static func none(_ yaml: YAMLCursor) -> Self? {
    yaml.mapping { _ in .nothing }
  }
}

/// What is copied of a user's own certificate.
private struct Copies {
  var subject: [GatewayConfiguration.Credential.ClientCertificate.SubjectPart] = []
  var alternativeNames: [GatewayConfiguration.Credential.ClientCertificate.AlternativeName] = []
  var extensions: [String] = []

  init() {}

  init?(_ yaml: YAMLCursor) {
    let read: Self? = yaml.mapping { keys in
      var copies = Self()
      copies.subject =
        keys.optional("subject")?.list(atLeast: 1) {
          $0.choice(of: GatewayConfiguration.Credential.ClientCertificate.SubjectPart.self)
        } ?? []
      copies.alternativeNames =
        keys.optional("alternativeNames")?.list(atLeast: 1) {
          $0.choice(of: GatewayConfiguration.Credential.ClientCertificate.AlternativeName.self)
        } ?? []
      copies.extensions = keys.optional("extensions")?.list(atLeast: 1) { $0.parsed(Self.identifier) } ?? []
      return copies
    }
    guard let read else { return nil }
    self = read
  }

  /// An object identifier that says nothing of what a certificate may be used for: those are the gateway's to say.
  private static func identifier(_ text: String) throws(ValueFault) -> String {
    guard text.wholeMatch(of: /[012](\.(0|[1-9][0-9]{0,8})){1,20}/) != nil else {
      throw ValueFault("is no object identifier", "write it as in 1.3.6.1.4.1.99999.1")
    }
    guard !["2.5.29.", "1.3.6.1.5.5.7.1."].contains(where: { (text + ".").hasPrefix($0) }) else {
      throw ValueFault("is an extension whose meaning is the gateway's to say", "name an extension of your own, as in 1.3.6.1.4.1.99999.1")
    }
    return text
  }
}

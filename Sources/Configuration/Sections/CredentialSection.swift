import SallyportStrictYAML

extension GatewayConfiguration {
  /// A named way to be someone at an upstream.
  public struct Credential: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
      /// `X-Remote-*` fields, believed because of the connection's client certificate.
      case requestHeaders(certificateFile: NamedFile, privateKeyFile: NamedFile)
      /// The upstream is told nothing.
      case nothing
    }

    public let name: String
    public let kind: Kind
  }
}

extension GatewayConfiguration.Credential {
  init?(_ yaml: YAMLCursor) {
    let credential: Self? = yaml.mapping { keys in
      let name = keys.required("name")?.name()
      if keys.notInThisVersion("idToken", "clientCertificate", "impersonation", "phantomToken") { return nil }
      let kind: Kind? = keys.exactlyOne(of: ["requestHeaders": Kind.requestHeaders, "none": Kind.none])
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

  fileprivate static func none(_ yaml: YAMLCursor) -> Self? {
    yaml.mapping { _ in .nothing }
  }
}

import SallyportStrictYAML

extension GatewayConfiguration {
  /// The gateway as an OpenID provider, whose tokens upstreams believe.
  public struct Issuer: Sendable, Equatable {
    /// `iss`: an https URL whose path is `/.sallyport`, below which the keys are published.
    public let url: String
    /// The host of the URL, in lower case: the documents are served for it alone.
    public let host: String
    public let signingKeysDirectory: NamedFile
    /// Of tokens that go to upstreams.
    public let tokenLifetime: Duration
    /// `nil`: no client gets one.
    public let tokenExchange: TokenExchange?
  }
}

extension GatewayConfiguration.Issuer {
  /// The path of every issuer's URL: where the gateway's own documents are.
  public static let path = "/.sallyport"

  init?(_ yaml: YAMLCursor) {
    let issuer: Self? = yaml.mapping { keys in
      let url = keys.required("url")?.parsed(Self.url)
      let directory = keys.required("signingKeysDirectory")?.file()
      let lifetime = keys.optional("tokenLifetime").map { $0.duration(in: .seconds(60)...(.seconds(3600))) } ?? .seconds(300)
      let exchange = keys.optional("tokenExchange").map { TokenExchange($0) }
      guard let url, let directory, let lifetime else { return nil }
      // What is there and wrong was reported, and is not left out.
      if let exchange, exchange == nil { return nil }
      return Self(
        url: url.text, host: url.host, signingKeysDirectory: directory, tokenLifetime: lifetime, tokenExchange: exchange ?? nil)
    }
    guard let issuer else { return nil }
    self = issuer
  }

  /// kube-apiserver asks `URL/.well-known/openid-configuration`, and compares the URL byte for byte with what it finds there.
  private static func url(_ text: String) throws(ValueFault) -> (text: String, host: String) {
    let form = "write it as in https://gateway.example.org:8443/.sallyport"
    _ = try IssuerURL.parse(text)
    guard text.hasPrefix("https://") else { throw ValueFault("is not an https URL", form) }
    let rest = text.dropFirst("https://".count)
    guard let slash = rest.firstIndex(of: "/"), rest[slash...] == Self.path else {
      throw ValueFault("has another path than \(Self.path)", form)
    }
    let server: ServerURL
    do throws(ValueFault) {
      server = try ServerURL(parsing: "https://\(rest[..<slash])")
    } catch {
      throw ValueFault("has no host that can be asked", form)
    }
    return (text, server.host.lowercased())
  }
}

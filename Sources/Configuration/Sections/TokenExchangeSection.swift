extension GatewayConfiguration {
  /// The audience of tokens that are for the gateway itself, and that whoever stands behind it may hold.
  public static let ownAudience = "sallyport"
}

extension GatewayConfiguration.Credential.Kind {
  /// The audience of the tokens that the issuer signs for it.
  var mintedAudience: String? {
    switch self {
    case .idToken(let audience): audience
    case .phantomToken(let audience): audience
    case .requestHeaders, .clientCertificate, .impersonation, .passthrough, .nothing: nil
    }
  }
}

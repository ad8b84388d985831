import ArgumentParser
import SallyportCommands

/// Which gateway and which sign-in a command is about.
struct SignInOptions: ParsableArguments {
  @Option(help: "The authority of the gateway's certificate, PEM; the system's authorities unless given.", completion: .file())
  var caFile: String?

  @Option(help: "The client_id at the gateway (issuer.tokenExchange).")
  var clientID = SignIn.usualClientID

  @Option(help: "Tells several sign-ins at one gateway apart.")
  var session = SignIn.usualSession

  @Option(help: "The user's certificate, PEM, to sign in by.", completion: .file())
  var clientCertificate: String?

  @Option(help: "The private key of the user's certificate, PEM.", completion: .file())
  var clientKey: String?

  func validate() throws {
    guard (self.clientCertificate == nil) == (self.clientKey == nil) else {
      throw ValidationError("--client-certificate and --client-key go together.")
    }
  }

  var hasCertificate: Bool { self.clientCertificate != nil }

  /// - Parameter authorities: what is known of them otherwise
  func signIn(at server: String, authorities: [UInt8]? = nil) throws -> SignIn {
    var certificate: ClientCertificate?
    if let chain = self.clientCertificate, let key = self.clientKey {
      certificate = try ClientCertificate(certificateFile: chain, keyFile: key)
    }
    let gateway = try TokenGateway(
      GatewayAddress(server), clientID: self.clientID, authorities: try self.caFile.map { try PEMFile.read($0) } ?? authorities,
      certificate: certificate)
    return SignIn(gateway: gateway, session: self.session, cache: try SignInCache())
  }
}

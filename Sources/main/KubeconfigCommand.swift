public import ArgumentParser
public import SallyportCommands
import SallyportPKI

struct KubeconfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kubeconfig", abstract: "Print a kubeconfig for the gateway.",
    discussion: """
      Files are named by their absolute paths unless --embed puts their content into the kubeconfig. A password is read from
      standard input with --password-stdin; without it, kubectl asks for one. A token is read from standard input, and stands
      in the kubeconfig. With exec, kubectl gets its tokens by `sallyport credential`, behind `sallyport login`.
      """)

  enum Method: String, ExpressibleByArgument, CaseIterable {
    case certificate, basic, token, exec
  }

  @Option(help: "The gateway's URL, as in https://gateway.example.org:8443.")
  var server: String

  @Option(help: "How the user signs in: certificate, basic, token or exec.")
  var method: Method

  @Option(help: "The authority of the gateway's certificate, PEM; the system's authorities unless given.", completion: .file())
  var caFile: String?

  @Option(help: "The user's certificate, PEM.", completion: .file())
  var clientCertificate: String?

  @Option(help: "The private key of the user's certificate, PEM.", completion: .file())
  var clientKey: String?

  @Option(help: "The user's name; that of the certificate unless given.")
  var username: String?

  @Flag(help: "Read the password from standard input.")
  var passwordStdin = false

  @Option(help: "With exec: the program, as kubectl is to run it.")
  var command = "sallyport"

  @Option(help: "With exec: v1, or v1beta1 for a kubectl before 1.22.")
  var execVersion = ExecVersion.v1

  @Option(help: "With exec: the client_id at the gateway.")
  var clientID = SignIn.usualClientID

  @Option(help: "With exec: which of several sign-ins.")
  var session = SignIn.usualSession

  @Flag(help: "Put the files' content into the kubeconfig.")
  var embed = false

  func validate() throws {
    switch self.method {
    case .certificate:
      guard self.clientCertificate != nil, self.clientKey != nil else {
        throw ValidationError("--method certificate needs --client-certificate and --client-key.")
      }
      guard !self.passwordStdin else { throw ValidationError("--password-stdin is for --method basic.") }
    case .basic:
      guard self.username != nil else { throw ValidationError("--method basic needs --username.") }
      guard self.clientCertificate == nil, self.clientKey == nil else {
        throw ValidationError("--client-certificate and --client-key are for --method certificate and exec.")
      }
    case .token:
      guard self.clientCertificate == nil, self.clientKey == nil, !self.passwordStdin else {
        throw ValidationError("--method token reads a token from standard input, and takes neither certificate nor password.")
      }
    case .exec:
      guard (self.clientCertificate == nil) == (self.clientKey == nil), !self.passwordStdin, !self.embed else {
        throw ValidationError(
          "--method exec takes --client-certificate with --client-key or none, and neither --password-stdin nor --embed.")
      }
    }
  }

  func run() throws {
    try Exit.reporting {
      let authority = try self.caFile.map { try Kubeconfig.Material(file: $0, embed: self.embed) }
      let name = try self.username ?? self.clientCertificate.flatMap { try CertificateSummary.read(file: $0).first?.commonName }
      print(try Kubeconfig(server: self.server, authority: authority, user: self.user(), userName: name).yaml, terminator: "")
    }
  }

  private func user() throws -> Kubeconfig.User {
    switch self.method {
    case .certificate, .basic: break
    case .token: return .token(try AccessToken.checked(readLine(strippingNewline: true)))
    case .exec: return .exec(try self.plugin())
    }
    if let certificate = self.clientCertificate, let key = self.clientKey {
      return .certificate(try .init(file: certificate, embed: self.embed), key: try .init(file: key, embed: self.embed))
    }
    let password = self.passwordStdin ? try Passphrase.read(from: .standardInput, prompt: "") : nil
    return .basic(username: self.username ?? "", password: password)
  }

  /// What kubectl does not tell the plugin, and only that.
  private func plugin() throws -> Kubeconfig.Plugin {
    var arguments: [String] = []
    if self.clientID != SignIn.usualClientID { arguments += ["--client-id", self.clientID] }
    if self.session != SignIn.usualSession { arguments += ["--session", self.session] }
    if let certificate = self.clientCertificate, let key = self.clientKey {
      // By their absolute paths: kubectl may be run anywhere.
      for (option, file) in [("--client-certificate", certificate), ("--client-key", key)] {
        guard case .file(let path) = try Kubeconfig.Material(file: file, embed: false) else { continue }
        arguments += [option, path]
      }
    }
    return Kubeconfig.Plugin(command: self.command, arguments: arguments, version: self.execVersion)
  }
}

extension ExecVersion: ExpressibleByArgument {}

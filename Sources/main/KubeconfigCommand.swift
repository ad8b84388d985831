import ArgumentParser
import SallyportCommands
import SallyportPKI

struct KubeconfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kubeconfig", abstract: "Print a kubeconfig for the gateway.",
    discussion: """
      Files are named by their absolute paths unless --embed puts their content into the kubeconfig. A password is read from
      standard input with --password-stdin; without it, kubectl asks for one.
      """)

  enum Method: String, ExpressibleByArgument, CaseIterable {
    case certificate, basic
  }

  @Option(help: "The gateway's URL, as in https://gateway.example.org:8443.")
  var server: String

  @Option(help: "How the user signs in: certificate or basic.")
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
        throw ValidationError("--client-certificate and --client-key are for --method certificate.")
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
    if let certificate = self.clientCertificate, let key = self.clientKey {
      return .certificate(try .init(file: certificate, embed: self.embed), key: try .init(file: key, embed: self.embed))
    }
    let password = self.passwordStdin ? try Passphrase.read(from: .standardInput, prompt: "") : nil
    return .basic(username: self.username ?? "", password: password)
  }
}

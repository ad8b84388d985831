import ArgumentParser
import Foundation
import SallyportCommands

struct CredentialCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "credential", abstract: "Give kubectl a token: an exec plugin of client.authentication.k8s.io/v1.",
    discussion: """
      kubectl runs it as its kubeconfig says (`sallyport kubeconfig --method exec`). A token that has ended is renewed silently, by the
      provider's refresh token or the user's certificate; behind a password the terminal is asked where kubectl has one.
      """)

  @Option(help: "The gateway's URL; kubectl's own server unless given.")
  var server: String?

  @OptionGroup var options: SignInOptions

  func run() async throws {
    try await Exit.reporting {
      let info = try ExecInfo(ProcessInfo.processInfo.environment["KUBERNETES_EXEC_INFO"])
      guard let server = self.server ?? info.server else {
        throw CommandFailure("no server: give --server, or write provideClusterInfo: true into the kubeconfig")
      }
      let signIn = try self.options.signIn(at: server, authorities: info.authorities)
      let ask: SignIn.Ask = { prompt throws(CommandFailure) in try Passphrase.readExisting(from: .terminal, prompt: prompt) }
      let token = try await signIn.token(
        certificateSignsIn: self.options.hasCertificate, asking: info.isInteractive && Passphrase.hasTerminal ? ask : nil)
      StandardOutput.print(ExecCredential.json(token, info.version))
    }
  }
}

import ArgumentParser
import Foundation

/// The root command. Each subcommand has a file of its own and only reads its arguments; what it does is in a library.
@main
struct Sallyport: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sallyport",
    abstract: "An authenticating reverse proxy for Kubernetes: who is it, may it, and a record of both.",
    subcommands: [
      ServeCommand.self, CheckCommand.self, DemoCommand.self, PKICommand.self, PasswordCommand.self, KubeconfigCommand.self,
      LoginCommand.self, CredentialCommand.self,
      SessionsCommand.self, AuditCommand.self, KeysCommand.self,
      PolicyCommand.self,
    ])

  /// As the argument parser's own, but for the exit code of a wrong usage: 2, where it has 64.
  static func main() async {
    do {
      var command = try self.parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      guard self.exitCode(for: error) == .validationFailure else { self.exit(withError: error) }
      FileHandle.standardError.write(Data((self.fullMessage(for: error) + "\n").utf8))
      self.exit(withError: Exit.usage)
    }
  }
}

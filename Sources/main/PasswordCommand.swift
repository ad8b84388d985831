public import ArgumentParser
public import SallyportCommands

struct PasswordCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "password", abstract: "Hash a password for a password file.",
    discussion: "The password is asked for on the terminal, twice, or read as the first line of standard input; never an argument.")

  @Option(help: "yescrypt, sha512 or bcrypt.")
  var algorithm = PasswordHashing.yescrypt

  @Option(help: "Print an entry of users.yaml for this user instead of the bare hash.")
  var user: String?

  @Option(name: .customLong("group"), help: "A group of the user; repeat for more.")
  var groups: [String] = []

  func validate() throws {
    guard self.groups.isEmpty || self.user != nil else { throw ValidationError("--group needs --user.") }
  }

  func run() throws {
    try Exit.reporting {
      let prompt = self.user.map { "Password for \($0)" } ?? "Password"
      let hash = try self.algorithm.hash(try Passphrase.read(from: Passphrase.naturalSource, prompt: prompt))
      if let user = self.user {
        print(PasswordEntry.yaml(user: user, groups: self.groups, hash: hash), terminator: "")
      } else {
        print(hash)
      }
    }
  }
}

extension PasswordHashing: ExpressibleByArgument {}

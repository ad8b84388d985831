import ArgumentParser
import Foundation
import SallyportCommands
import SallyportConfiguration

struct SessionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sessions", abstract: "Who is signed in with a browser, and an end to it.",
    discussion: """
      The running gateway is asked, at the control socket of its configuration (`control.socket`), by the user that it runs as. \
      Sessions that several gateways share are seen and ended at any of them.
      """,
    subcommands: [List.self, Revoke.self])

  struct Place: ParsableArguments {
    @Option(help: "The configuration file of the gateway.")
    var config: String

    func socket() throws -> ControlSocket {
      try ControlSocket(configuration: try GatewayConfiguration.load(file: self.config), file: self.config)
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Tell who is signed in: by what, from where, since when and for how long.",
      discussion: "A session is called as in the audit log. Nobody gets in by that.")
    @OptionGroup var place: Place

    @Option(help: "This user's sessions alone.")
    var user: String?

    @Option(help: "text or json.")
    var output = OutputForm.text

    func run() async throws {
      try await Faults.reported {
        let listing = try await self.place.socket().sessions(of: self.user)
        print(self.output == .json ? listing.json : listing.text)
        if listing.isCut { StandardError.print("There are more; ask for one user's.") }
      }
    }
  }

  struct Revoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "End sessions, and cut the streams that they let in; prints what ended.",
      discussion: "The audit log says who did it: the operating system's user.")
    @OptionGroup var place: Place

    @Option(help: "All sessions of this user.")
    var user: String?

    @Option(help: "The session that is called so in the list and in the audit log.")
    var session: String?

    @Flag(help: "All sessions of everybody.")
    var all = false

    @Option(help: "text or json.")
    var output = OutputForm.text

    func validate() throws {
      guard [self.user != nil, self.session != nil, self.all].count(where: { $0 }) == 1 else {
        throw ValidationError("Give one of --user, --session and --all.")
      }
    }

    private var meant: RevokedSessions {
      if let user { return .user(user) }
      if let session { return .session(session) }
      return .all
    }

    func run() async throws {
      try await Faults.reported {
        let ended = try await self.place.socket().revoke(self.meant)
        print(self.output == .json ? ended.json : ended.text)
        if ended.isEmpty, self.session != nil { throw CommandFailure("there is no such session") }
      }
    }
  }
}

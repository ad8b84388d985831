import ArgumentParser
import Foundation
import SallyportCommands
import SallyportPKI

struct PKICommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pki", abstract: "Make certificates for the gateway and its users.",
    discussion: """
      A PKI of three authorities in one directory: for servers, for users, and for the gateway as the API server's front proxy.
      Begin with `sallyport pki init`, then `sallyport pki server --name gateway.example.org` and `sallyport pki client alice`.
      """,
    subcommands: [Init.self, Server.self, Client.self, Show.self])

  struct Place: ParsableArguments {
    @Option(help: "The directory of the certificates.")
    var directory = "certs"

    @Flag(help: "Replace files that exist.")
    var force = false

    var pki: PKIDirectory { PKIDirectory(self.directory, force: self.force) }
  }

  struct Init: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make the three authorities and the front proxy's certificate.")
    @OptionGroup var place: Place

    func run() throws {
      try Exit.reporting { print(try self.place.pki.initialize().joined(separator: "\n")) }
    }
  }

  struct Server: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make the gateway's certificate, server.pem.")
    @OptionGroup var place: Place

    @Option(name: .customLong("name"), help: "A host name or an address of the gateway; repeat for more.")
    var names = ["localhost", "127.0.0.1", "::1"]

    @Option(help: "How many days the certificate is valid.")
    var days = 397

    @Option(help: "The files' name without its ending.")
    var file = "server"

    func validate() throws {
      guard (1...3650).contains(self.days) else { throw ValidationError("--days is a number from 1 to 3650.") }
    }

    func run() throws {
      try Exit.reporting {
        print(try self.place.pki.issueServer(names: self.names, days: self.days, fileName: self.file).joined(separator: "\n"))
      }
    }
  }

  struct Client: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a user's certificate, as PEM and as .p12 for browsers.",
      discussion: "The .p12 file's password is generated and printed once, on standard error, unless --password-stdin gives it.")
    @OptionGroup var place: Place

    @Argument(help: "The user's name.")
    var user: String

    @Option(name: .customLong("group"), help: "A group of the user; repeat for more.")
    var groups: [String] = []

    @Option(help: "How many days the certificate is valid.")
    var days = 365

    @Option(help: "The files' name without its ending; the user's name unless given.")
    var file: String?

    @Flag(help: "Read the .p12 file's password from standard input.")
    var passwordStdin = false

    func validate() throws {
      guard (1...3650).contains(self.days) else { throw ValidationError("--days is a number from 1 to 3650.") }
    }

    func run() throws {
      try Exit.reporting {
        let password = self.passwordStdin ? try Passphrase.read(from: .standardInput, prompt: "") : Passphrase.generate()
        let files = try self.place.pki.issueClient(
          self.user, groups: self.groups, days: self.days, fileName: self.file, password: password)
        print(files.joined(separator: "\n"))
        if !self.passwordStdin {
          FileHandle.standardError.write(Data("The password of the .p12 file, shown only now: \(password)\n".utf8))
        }
      }
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Tell what is in certificates.")

    @Argument(help: "PEM files.", completion: .file(extensions: ["pem", "crt"]))
    var files: [String]

    @Option(help: "text or json.")
    var output = OutputForm.text

    func run() throws {
      try Exit.reporting {
        let certificates = try self.files.flatMap { try CertificateSummary.read(file: $0) }
        print(try self.output == .json ? CertificateSummary.json(certificates) : certificates.map { $0.text() }.joined(separator: "\n\n"))
      }
    }
  }
}

/// How a command that lists things prints them.
enum OutputForm: String, ExpressibleByArgument, CaseIterable {
  case text, json
}

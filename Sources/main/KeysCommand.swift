import ArgumentParser
import Foundation
import SallyportConfiguration
import SallyportIssuer

struct KeysCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys", abstract: "The issuer's signing keys.",
    discussion: """
      The keys are files in one directory that all replicas see. A new key is published for ten minutes before it signs, and an \
      old one until its last token has ended, so that a rotation breaks nothing. The first key signs at once.
      """,
    subcommands: [Rotate.self, List.self])

  struct Place: ParsableArguments {
    @Option(help: "The directory of the keys.")
    var directory: String?

    @Option(help: "The configuration file whose issuer it is, in place of --directory.")
    var config: String?

    func validate() throws {
      guard (self.directory == nil) != (self.config == nil) else { throw ValidationError("Give one of --directory and --config.") }
    }

    /// The directory, and how long the issuer's tokens last in seconds: as long as any may, where only the directory is known.
    func read() throws -> (directory: KeyDirectory, tokenLifetime: Double) {
      guard let config else { return (KeyDirectory(self.directory ?? "."), 43_200) }
      guard let issuer = try GatewayConfiguration.load(file: config).issuer else {
        throw IssuerFault("\(config): there is no issuer; add the section issuer")
      }
      return (KeyDirectory(issuer.signingKeysDirectory.path), Double(issuer.longestTokenLifetime.components.seconds))
    }
  }

  struct Rotate: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a new key; prints its file and when it begins to sign.",
      discussion: "Files of keys that were of no use for a day are removed.")
    @OptionGroup var place: Place

    @Option(help: "ES256, or RS256 for verifiers that know nothing else.")
    var algorithm = Algorithm.es256

    enum Algorithm: String, ExpressibleByArgument, CaseIterable {
      case es256 = "ES256"
      case rs256 = "RS256"
    }

    func run() throws {
      try Faults.reported {
        let (directory, lifetime) = try self.place.read()
        let result = try KeyRotation(directory, tokenLifetime: lifetime).rotate(
          self.algorithm == .rs256 ? .rs256 : .es256, at: Date())
        print("\(directory.path)/\(result.file) signs from \(result.begins.formatted(.iso8601))")
        for name in result.removed { print("\(directory.path)/\(name) is removed") }
      }
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Tell which keys there are, and what each is for now.")
    @OptionGroup var place: Place

    @Option(help: "text or json.")
    var output = OutputForm.text

    func run() throws {
      try Faults.reported {
        let (directory, lifetime) = try self.place.read()
        let listing = try KeyListing(directory, tokenLifetime: lifetime, at: Date())
        print(try self.output == .json ? listing.json() : listing.text)
      }
    }
  }
}

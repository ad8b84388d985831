import ArgumentParser
import Foundation
import SallyportAuditReview

struct AuditPublicKeyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "public-key", abstract: "Print the public key that the audit log is signed for.",
    discussion: "Keep it where those who can write to the log cannot: `sallyport audit verify --public-key` takes it.")

  @Argument(help: "The private key: audit.checkpointKeyFile, or checkpoint.key in the audit directory.", completion: .file())
  var file: String

  func run() throws {
    print(try Faults.reported { try LogVerifier.publicKey(ofPrivateKey: self.file) }, terminator: "")
  }
}

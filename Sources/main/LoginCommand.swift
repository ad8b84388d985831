import ArgumentParser
import Foundation
import SallyportCommands

struct LoginCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "login", abstract: "Sign in at a gateway, for kubectl.",
    discussion: """
      Without further options the terminal is asked for the password. With --oidc-issuer the browser signs in at that provider; its
      token is used as it is, or exchanged at the gateway with --exchange. What is got is kept in the user's cache directory, for
      `sallyport credential`.
      """)

  @Option(help: "The gateway's URL, as in https://gateway.example.org:8443.")
  var server: String

  @OptionGroup var options: SignInOptions

  @Option(help: "The user's name; that of the system's user unless given.")
  var username: String?

  @Flag(help: "Read the password from standard input.")
  var passwordStdin = false

  @Option(help: "The URL of the identity provider to sign in at by the browser.")
  var oidcIssuer: String?

  @Option(help: "The client_id at that provider, a public client with loopback redirects.")
  var oidcClientID: String?

  @Option(help: "What is asked for there; may be repeated.")
  var oidcScope: [String] = ["openid", "offline_access"]

  @Option(help: "The authority of the provider's certificate, PEM.", completion: .file())
  var oidcCAFile: String?

  @Flag(help: "Have the gateway give a token of its own for the provider's.")
  var exchange = false

  @Flag(inversion: .prefixedNo, help: "Open the browser; without it the URL is only printed.")
  var browser = true

  func validate() throws {
    guard (self.oidcIssuer == nil) == (self.oidcClientID == nil) else {
      throw ValidationError("--oidc-issuer and --oidc-client-id go together.")
    }
    guard self.oidcIssuer != nil || (self.oidcCAFile == nil && !self.exchange) else {
      throw ValidationError("--oidc-ca-file and --exchange are for --oidc-issuer.")
    }
    guard self.oidcIssuer == nil || (self.username == nil && !self.passwordStdin && !self.options.hasCertificate) else {
      throw ValidationError("--oidc-issuer takes neither password nor certificate.")
    }
  }

  func run() async throws {
    try await Exit.reporting {
      let signIn = try self.options.signIn(at: self.server)
      let signedIn: SignedIn
      if let issuer = self.oidcIssuer, let clientID = self.oidcClientID {
        let provider = Provider(
          issuer: issuer, clientID: clientID, scopes: self.oidcScope, authorities: try self.oidcCAFile.map { try PEMFile.read($0) },
          exchanges: self.exchange)
        let opens = self.browser
        signedIn = try await signIn.signIn(by: CodeFlow(provider)) { url in
          StandardError.print("Sign in by your browser: \(url)")
          if opens { Browser.open(url) }
        }
      } else if self.options.hasCertificate {
        signedIn = try await signIn.signIn(username: nil, password: nil)
      } else {
        let name = self.username ?? NSUserName()
        let source = self.passwordStdin ? Passphrase.Source.standardInput : .terminal
        signedIn = try await signIn.signIn(
          username: name, password: try Passphrase.readExisting(from: source, prompt: "Password of \(name) at \(self.server)"))
      }
      StandardError.print("Signed in until \(signedIn.ends.ISO8601Format()).")
    }
  }
}

/// The user's browser, where the system knows of one.
enum Browser {
  static func open(_ url: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    #if canImport(Darwin)
      process.arguments = ["open", url]
    #else
      process.arguments = ["xdg-open", url]
    #endif
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    // Where there is none, the URL was printed.
    try? process.run()
  }
}

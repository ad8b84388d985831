import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// Signing in and out with a real browser: by the form, by a client certificate, in two tabs, by keyboard.
  @Suite(.serialized, .timeLimit(.minutes(20))) struct BrowserTests {
    private struct Seen: Decodable {
      let form: String
      let certificate: String
      /// Status, whether there was a redirect, and what asks for a password: of a script that is signed out.
      let fetched: [Fetched]
      let pictures: [String]
      /// How often axe-core looked at a page.
      let looks: Int
    }

    /// As in the practice clusters' password files: `correct horse 17`.
    static let users = """
      users:
      - name: bob
        groups: [edit]
        passwordHash: "$6$practice$MigJsks8HMnM6vRMCuMnI48JKLMmTUuHCBEgOuisn/ncFIVCwWfUtUBEy5H736fDRQYNwQRP5X649lOojfC7X1"
      """

    @Test func peopleSignInAndOutWithABrowser() async throws {
      try await ServedGateway.with(changing: { configuration, directory in
        try directory.write(Self.users, to: "users.yaml")
        configuration = configuration.replacing(
          "authentication: {clientCertificates: {}}",
          with: "authentication: {clientCertificates: {}, passwords: [{passwordFile: {file: users.yaml}}], "
            + "signIn: {name: Example Corp, clientCertificate: true}}"
        ).replacing("authenticate: [clientCertificate]", with: "authenticate: [session, password]")
      }) { served in
        let alice = try served.pki.client("alice", groups: ["view"])
        try served.directory.write(alice.chainPEM, to: "alice.pem")
        try served.directory.write(alice.privateKeyPEM, to: "alice.key")
        let pictures = try served.pictures(of: "sign-in")
        let browsed = try await run(
          Installation.python,
          [
            Installation.client("browser_sign_in.py"), served.url, served.file("server-ca.pem"), try await served.packed("alice"), pictures,
          ],
          seconds: 600)
        #expect(browsed.status == 0, "\(browsed.transcript)")
        let seen = try JSONDecoder().decode(Seen.self, from: Data(browsed.output.utf8))
        #expect(seen.form == "bob" && seen.certificate == "alice")
        #expect(seen.fetched.prefix(2) == [.status(401), .redirected(false)])
        #expect(seen.pictures.count == 36 && seen.looks == 36)
        for picture in seen.pictures {
          #expect(try Data(contentsOf: URL(fileURLWithPath: pictures).appending(path: picture)).count > 3000, "\(picture)")
        }
        let records = try served.directory.read("audit/requests.jsonl") + served.directory.read("audit/unauthenticated.jsonl")
        for act in ["signed-in", "signed-out", "refused"] { #expect(records.contains(#""sallyport.dev/sign-in":"\#(act)""#), "\(act)") }
        #expect(!records.contains("correct horse") && !records.contains("not this one"))
      }
    }
  }
}

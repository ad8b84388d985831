import Foundation
import TestSupport
import Testing

/// Signs in and out by the forms of the pages, with curl and its cookies: what a browser would do, at whichever port.
struct SignInClient {
  /// As in the practice clusters' password files: `correct horse 17`.
  static let users = """
    users:
    - name: bob
      groups: [edit]
      passwordHash: "$6$practice$MigJsks8HMnM6vRMCuMnI48JKLMmTUuHCBEgOuisn/ncFIVCwWfUtUBEy5H736fDRQYNwQRP5X649lOojfC7X1"
    """
  private static let password = "correct horse 17"
  private static let session = "__Host-sallyport-session"

  private let directory = TemporaryDirectory()
  /// Whom the gateway's certificate is to be from.
  private let authority: String

  init(authority: String) { self.authority = authority }

  /// Without these a request is a program's, which is not led to a page.
  private static let browser = ["--header", "Accept: text/html"]

  private func curl(_ port: Int, _ path: String, _ arguments: [String]) async throws -> (status: String, body: String) {
    let jar = self.directory.file("cookies")
    let answer = try await run(
      "curl",
      [
        "--silent", "--show-error", "--max-time", "60", "--cacert", self.authority, "--cookie", jar, "--cookie-jar", jar, "--write-out",
        "\n%{http_code}", "https://localhost:\(port)\(path)",
      ] + arguments)
    guard let line = answer.output.lastIndex(of: "\n") else { throw ToolFailure("curl: \(answer.transcript)") }
    return (String(answer.output[answer.output.index(after: line)...]), String(answer.output[..<line]))
  }

  /// The status of an answer; 000 where there was none.
  func status(_ path: String, at port: Int) async throws -> String { try await self.curl(port, path, []).status }

  /// Shows the form and sends it.
  ///
  /// - Returns: the status of the answer to the form: 303 where it was taken
  func signIn(at port: Int, password: String = Self.password) async throws -> String {
    try await self.send("/.sallyport/sign-in", ["return=/version", "username=bob", "password=\(password)", "by=password"], at: port)
  }

  func signOut(at port: Int) async throws -> String { try await self.send("/.sallyport/sign-out", [], at: port) }

  private func send(_ path: String, _ fields: [String], at port: Int) async throws -> String {
    let page = try await self.curl(port, path, Self.browser)
    guard let token = page.body.firstMatch(of: /name="token" value="([A-Za-z0-9_-]+)"/) else {
      throw ToolFailure("no form at \(path): \(page.status) \(page.body)")
    }
    let form = (["token=\(token.1)"] + fields).flatMap { ["--data-urlencode", $0] }
    return try await self.curl(port, path, form + Self.browser + ["--header", "Origin: https://localhost:\(port)"]).status
  }

  /// The session's cookie.
  func cookie() throws -> String {
    let lines = try self.directory.read("cookies").split(separator: "\n").map { $0.split(separator: "\t") }
    return String(try #require(lines.first { $0.count == 7 && $0[5] == Self.session }?[6]))
  }
}

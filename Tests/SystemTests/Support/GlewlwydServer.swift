import Foundation
import SallyportPKI
import TestSupport
import Testing

/// A real OpenID provider: Debian's glewlwyd, unpacked by `scripts/install-debian-glewlwyd`, on loopback, with a database of its own.
///
/// It knows alice (groups `edit` and `staff`) and the confidential client `web`. Its access tokens are JWTs (`at+jwt`) with the audience
/// `openid`, its id_tokens are for `web`.
final class GlewlwydServer {
  struct Tokens: Decodable {
    let idToken: String
    let accessToken: String
    let refreshToken: String
  }

  let port: Int
  private let directory = TemporaryDirectory()
  private let caFile: String
  private(set) var process: RunningTool

  /// - Parameter pki: its server's certificate is the provider's
  convenience init(pki: TestPKI) async throws {
    try await self.init(
      authority: pki.serverAuthority.certificatePEM, certificate: pki.server.chainPEM, privateKey: pki.server.privateKeyPEM)
  }

  init(authority: String, certificate chain: String, privateKey: String) async throws {
    let unpacked = Installation.build + "/debian-glewlwyd/usr"
    self.port = try freePort()
    self.caFile = try self.directory.write(authority, to: "ca.pem")
    let key = try self.directory.write(privateKey, to: "server.key")
    let certificate = try self.directory.write(chain, to: "server.pem")
    try FileManager.default.createDirectory(atPath: self.directory.file("pages"), withIntermediateDirectories: true)
    try self.directory.write(Self.loginPage, to: "pages/login.html")
    let configuration = try self.directory.write(
      """
      port=\(self.port)
      bind_address="127.0.0.1"
      external_url="https://localhost:\(self.port)"
      login_url="login.html"
      api_prefix="api"
      static_files_path="\(self.directory.file("pages"))"
      static_files_mime_types=( { extension=".html" mime_type="text/html" } );
      log_mode="console"
      log_level="WARNING"
      cookie_secure=1
      session_expiration=3600
      session_key="GLEWLWYD2_SESSION_ID"
      admin_scope="g_admin"
      profile_scope="g_profile"
      user_module_path="\(unpacked)/lib/glewlwyd/user"
      client_module_path="\(unpacked)/lib/glewlwyd/client"
      user_auth_scheme_module_path="\(unpacked)/lib/glewlwyd/scheme"
      plugin_module_path="\(unpacked)/lib/glewlwyd/plugin"
      use_secure_connection=true
      secure_connection_key_file="\(key)"
      secure_connection_pem_file="\(certificate)"
      hash_algorithm="SHA512"
      database={ type="sqlite3" path="\(self.directory.file("database"))" };

      """, to: "glewlwyd.conf")
    // Users have no groups as they come.
    let groups = #"json('{"multiple":true,"read":true,"write":true,"profile-read":true,"profile-write":false}')"#
    let script = """
      set -euo pipefail
      zcat "$0/share/doc/glewlwyd/database/init.sqlite3.sql.gz" | sqlite3 "$1"
      sqlite3 "$1" "update g_user_module_instance set gumi_parameters = json_set(gumi_parameters, '$.\\"data-format\\".groups', $2)"
      """
    let prepared = try await run("bash", ["-c", script, unpacked, self.directory.file("database"), groups])
    try #require(prepared.status == 0, "\(prepared.transcript)")
    self.process = try Self.start(unpacked, configuration)
    try await self.makeKey()
    try await self.untilItServes()
    _ = try await self.tool("setup")
  }

  private static func start(_ unpacked: String, _ configuration: String) throws -> RunningTool {
    try RunningTool(unpacked + "/bin/glewlwyd", ["--config-file", configuration])
  }

  var issuer: String { "https://localhost:\(self.port)/api/oidc" }
  var introspectionURL: String { self.issuer + "/introspect" }

  /// Starts it again after it was killed; it knows what it knew.
  func restart() async throws {
    self.process = try Self.start(Installation.build + "/debian-glewlwyd/usr", self.directory.file("glewlwyd.conf"))
    try await self.untilItServes()
  }

  func stop() async throws {
    self.process.signal(SIGKILL)
    _ = try await self.process.result()
  }

  /// What a browser that has signed in as alice gets by the code flow.
  func tokens() async throws -> Tokens {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Tokens.self, from: Data(try await self.tool("tokens").utf8))
  }

  /// Makes the client `portal`, whose browsers come back to a gateway.
  func addClient(ofGatewayAt url: String) async throws { _ = try await self.tool("client", url) }

  /// In place of the package's own page, which needs a web application of another package: it asks the same interface for the same.
  private static let loginPage = """
    <!doctype html>
    <html lang="en"><head><meta charset="utf-8"><title>Provider</title></head>
    <body><main><h1>Provider</h1>
    <form id="form"><label>Name <input id="username"></label> <label>Password <input id="password" type="password"></label>
    <button>Sign in</button></form></main>
    <script>
    const query = new URLSearchParams(location.search);
    const send = (method, path, body) =>
      fetch(path, {method, headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)});
    document.getElementById("form").onsubmit = async event => {
      event.preventDefault();
      const value = id => document.getElementById(id).value;
      await send("POST", "/api/auth/", {username: value("username"), password: value("password")});
      await send("PUT", "/api/auth/grant/" + query.get("client_id"), {scope: "openid"});
      const next = query.get("callback_url");
      location = next.includes("g_continue") ? next : next + "&g_continue";
    };
    </script></body></html>
    """

  func revoke(_ token: String) async throws { _ = try await self.tool("revoke", token) }

  /// Signs by another key from now on, and publishes no other.
  func rotate() async throws {
    try await self.makeKey()
    _ = try await self.tool("rotate")
  }

  private func makeKey() async throws {
    let script = #"openssl ecparam -genkey -name prime256v1 -noout -out "$0" && openssl ec -in "$0" -pubout -out "$0.pub""#
    let made = try await run("bash", ["-c", script, self.directory.file("signing.key")])
    try #require(made.status == 0, "\(made.transcript)")
  }

  private func untilItServes() async throws {
    let tried = try await run(
      "curl",
      [
        "--silent", "--show-error", "--retry", "100", "--retry-delay", "1", "--retry-connrefused", "--max-time", "60", "--cacert",
        self.caFile,
        "https://localhost:\(self.port)/config",
      ])
    try #require(tried.status == 0, "\(tried.transcript) \(self.process.output) \(self.process.errors)")
  }

  private func tool(_ command: String...) async throws -> String {
    let run = try await run(
      Installation.python,
      [Installation.client("glewlwyd.py"), "\(self.port)", self.caFile, self.directory.file("signing.key")] + command)
    try #require(run.status == 0, "\(run.transcript) \(self.process.output)")
    return run.output
  }
}

import SallyportCommands
import SallyportStrictYAML
import TestSupport
import Testing

@Suite struct KubeconfigTests {
  let directory = TemporaryDirectory()

  private func file(_ name: String) throws -> Kubeconfig.Material {
    try .init(file: try self.directory.write("PEM of \(name)", to: name), embed: false)
  }

  @Test func aKubeconfigForACertificateNamesItsFiles() throws {
    let config = try Kubeconfig(
      server: "https://gateway.example.org:8443", authority: self.file("ca.pem"),
      user: .certificate(self.file("alice.pem"), key: self.file("alice.key")), userName: "alice")
    #expect(
      config.yaml.replacing(self.directory.path, with: "/d") == """
        apiVersion: v1
        kind: Config
        clusters:
        - name: "gateway.example.org:8443"
          cluster:
            server: "https://gateway.example.org:8443"
            certificate-authority: "/d/ca.pem"
        users:
        - name: "alice@gateway.example.org:8443"
          user:
            client-certificate: "/d/alice.pem"
            client-key: "/d/alice.key"
        contexts:
        - name: "alice@gateway.example.org:8443"
          context:
            cluster: "gateway.example.org:8443"
            user: "alice@gateway.example.org:8443"
        current-context: "alice@gateway.example.org:8443"

        """)
  }

  @Test func embeddedFilesAreBase64() throws {
    let path = try self.directory.write("PEM", to: "a.pem")
    let material = try Kubeconfig.Material(file: path, embed: true)
    let yaml = try Kubeconfig(server: "https://g", authority: material, user: .certificate(material, key: material)).yaml
    for key in ["certificate-authority-data", "client-certificate-data", "client-key-data"] { #expect(yaml.contains("    \(key): UEVN\n")) }
    #expect(!yaml.contains(path))
  }

  @Test func aProgramGetsTheTokensOrATokenStandsInTheFile() throws {
    let plugin = Kubeconfig.Plugin(command: "/opt/sallyport", arguments: ["--session", "a b"])
    let exec = try Kubeconfig(server: "https://g:1", authority: nil, user: .exec(plugin)).yaml
    for line in [
      "    exec:", "      apiVersion: client.authentication.k8s.io/v1", #"      command: "/opt/sallyport""#, "      args:",
      #"      - "credential""#, #"      - "--session""#, #"      - "a b""#, "      interactiveMode: IfAvailable",
      "      provideClusterInfo: true",
    ] { #expect(exec.split(separator: "\n").contains(Substring(line)), "\(line)") }
    let token = try Kubeconfig(server: "https://g:1", authority: nil, user: .token("a.b.c")).yaml
    #expect(token.contains(#"    token: "a.b.c""#))
  }

  @Test func aPasswordIsInTheFileOnlyIfItWasGiven() throws {
    let asked = try Kubeconfig(server: "https://g:1", authority: nil, user: .basic(username: "bob", password: nil)).yaml
    #expect(asked.contains("    username: \"bob\"\n"))
    #expect(!asked.contains("password"))
    #expect(!asked.contains("certificate-authority"))
    let given = try Kubeconfig(server: "https://g:1", authority: nil, user: .basic(username: "bob", password: "p\"\\: x")).yaml
    #expect(given.contains("    password: \"p\\\"\\\\: x\"\n"))
  }

  @Test(arguments: ["no", "a\"b", "1", "a: b", "a\\nb", "\u{85}x", "#x", "*x"]) func namesSurviveEveryYAMLReader(name: String) throws {
    let yaml = try Kubeconfig(server: "https://g", authority: nil, user: .basic(username: name, password: nil)).yaml
    let read = try StrictYAML.decode(yaml, fileName: "kubeconfig") { document in
      document.mapping { keys in
        for key in ["apiVersion", "kind", "clusters", "contexts", "current-context"] { _ = keys.required(key) }
        return keys.required("users")?[0].mapping { keys in
          _ = keys.required("name")
          return keys.required("user")?.mapping { $0.required("username")?.text() }
        }
      }
    }
    #expect(read == name)
  }

  @Test(arguments: ["", "gateway", "http://g", "https://", "https://u:p@g", "https://g?x", "https://g#x", "ftp://g"])
  func aServerThatIsNoHTTPSURLIsRefused(server: String) {
    #expect(throws: CommandFailure("the server is not an https URL; write it as in https://gateway.example.org:8443")) {
      try Kubeconfig(server: server, authority: nil, user: .basic(username: "bob", password: nil))
    }
  }

  @Test func aFileThatCannotBeReadIsNamed() {
    let path = self.directory.file("none.pem")
    #expect(throws: CommandFailure("cannot read \(path)")) { try Kubeconfig.Material(file: path, embed: false) }
  }
}

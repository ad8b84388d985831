import Foundation

/// A kubeconfig for a gateway: what `kubectl --kubeconfig` reads.
/// See https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/.
public struct Kubeconfig: Sendable {
  /// How the user signs in.
  public enum User: Sendable {
    case certificate(Material, key: Material)
    /// - Parameter password: `nil` leaves it out; kubectl then asks for it
    case basic(username: String, password: String?)
    /// A token of somebody else's making. It stands in the file.
    case token(String)
    /// By tokens that a program gets: `sallyport credential`.
    case exec(Plugin)
  }

  /// A program that kubectl asks for tokens (client.authentication.k8s.io/v1).
  public struct Plugin: Sendable {
    let command: String
    let arguments: [String]
    let version: ExecVersion

    /// - Parameters:
    ///   - command: a name that is looked for in the path, or a path
    ///   - arguments: beside `credential`
    public init(command: String, arguments: [String], version: ExecVersion = .v1) {
      self.version = version
      self.command = command
      self.arguments = arguments
    }
  }

  /// A file that kubectl reads itself, or its content.
  public enum Material: Sendable {
    case file(String)
    case embedded([UInt8])

    /// A file to name by its absolute path, or to read and embed.
    ///
    /// - Throws: ``CommandFailure`` when the file cannot be read
    public init(file path: String, embed: Bool) throws(CommandFailure) {
      let url = URL(fileURLWithPath: path)
      guard let content = try? Data(contentsOf: url), !content.isEmpty else { throw CommandFailure("cannot read \(path)") }
      self = embed ? .embedded(Array(content)) : .file(url.path)
    }
  }

  let server: String
  let authority: Material?
  let user: User
  let name: String
  let namespace: String?

  /// - Parameters:
  ///   - server: the gateway's URL, `https://gateway.example.org:8443`
  ///   - authority: who signed the gateway's certificate; `nil` for the system's authorities
  ///   - userName: what the user is called in the file
  ///   - namespace: the namespace that commands are about when they name none; `nil` for `default`
  /// - Throws: ``CommandFailure`` for a server that is no https URL of a host
  public init(server: String, authority: Material?, user: User, userName: String? = nil, namespace: String? = nil) throws(CommandFailure) {
    guard let url = URLComponents(string: server), url.scheme?.lowercased() == "https", let host = url.host, !host.isEmpty, url.user == nil,
      url.query == nil, url.fragment == nil
    else { throw CommandFailure("the server is not an https URL; write it as in https://gateway.example.org:8443") }
    self.server = server
    self.authority = authority
    self.user = user
    self.namespace = namespace
    if case .basic(let username, _) = user { self.name = username } else { self.name = userName ?? "user" }
    // The host alone is not enough: two gateways on one machine differ by port.
    let port = url.port.map { ":\($0)" } ?? ""
    self.cluster = "\(host)\(port)"
  }

  private let cluster: String

  /// The file. Names are the gateway's host and port, and the user's name, so that several files merge without clashes.
  public var yaml: String {
    let cluster = YAMLText.quoted(self.cluster)
    let user = YAMLText.quoted("\(self.name)@\(self.cluster)")
    var lines = ["apiVersion: v1", "kind: Config", "clusters:", "- name: \(cluster)", "  cluster:"]
    lines.append("    server: \(YAMLText.quoted(self.server))")
    if let authority { lines.append("    \(Self.line("certificate-authority", authority))") }
    lines += ["users:", "- name: \(user)", "  user:"]
    switch self.user {
    case .certificate(let certificate, let key):
      lines.append("    \(Self.line("client-certificate", certificate))")
      lines.append("    \(Self.line("client-key", key))")
    case .basic(let username, let password):
      lines.append("    username: \(YAMLText.quoted(username))")
      if let password { lines.append("    password: \(YAMLText.quoted(password))") }
    case .token(let token): lines.append("    token: \(YAMLText.quoted(token))")
    case .exec(let plugin):
      // The plugin may ask at the terminal where there is one, and learns from kubectl which gateway it is about.
      lines += [
        "    exec:", "      apiVersion: \(plugin.version.apiVersion)", "      command: \(YAMLText.quoted(plugin.command))", "      args:",
      ]
      lines += (["credential"] + plugin.arguments).map { "      - \(YAMLText.quoted($0))" }
      lines += [
        "      interactiveMode: IfAvailable", "      provideClusterInfo: true", "      installHint: \(YAMLText.quoted(Self.installHint))",
      ]
    }
    lines += ["contexts:", "- name: \(user)", "  context:", "    cluster: \(cluster)", "    user: \(user)"]
    if let namespace { lines.append("    namespace: \(YAMLText.quoted(namespace))") }
    lines.append("current-context: \(user)")
    return lines.joined(separator: "\n") + "\n"
  }

  private static let installHint = "sallyport is not in the path; get it from whoever runs the gateway"

  private static func line(_ key: String, _ material: Material) -> String {
    switch material {
    case .file(let path): "\(key): \(YAMLText.quoted(path))"
    case .embedded(let bytes): "\(key)-data: \(Data(bytes).base64EncodedString())"
    }
  }
}

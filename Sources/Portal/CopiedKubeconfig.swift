/// A kubeconfig to copy from a page: who and where, and nothing secret. kubectl asks for what is missing.
public enum CopiedKubeconfig {
  public enum User: Sendable {
    /// kubectl asks for the password.
    case password(name: String)
    /// The files are wherever the user has them.
    case certificate(name: String)
    /// kubectl asks `sallyport credential` for tokens, which asks for the password or shows the certificate.
    case plugin(name: String, clientID: String, showsCertificate: Bool)
  }

  /// - Parameter host: host and port by which the browser came here
  public static func text(host: String, user: User) -> String {
    let name: String
    let lines: [String]
    switch user {
    case .password(let username):
      name = username
      lines = ["username: \(self.quoted(username))"]
    case .certificate(let username):
      name = username
      lines = ["client-certificate: client.pem", "client-key: client.key"]
    case .plugin(let username, let clientID, let showsCertificate):
      name = username
      let files = showsCertificate ? ["--client-certificate", "client.pem", "--client-key", "client.key"] : []
      lines =
        [
          "exec:", "  apiVersion: client.authentication.k8s.io/v1", "  command: sallyport", "  args:",
        ] + (["credential", "--client-id", clientID] + files).map { "  - \(self.quoted($0))" } + [
          "  interactiveMode: IfAvailable", "  provideClusterInfo: true",
        ]
    }
    let context = self.quoted("\(name)@\(host)")
    return """
      apiVersion: v1
      kind: Config
      clusters:
      - name: \(self.quoted(host))
        cluster:
          server: \(self.quoted("https://\(host)"))
      users:
      - name: \(context)
        user:
      \(lines.map { "    \($0)" }.joined(separator: "\n"))
      contexts:
      - name: \(context)
        context:
          cluster: \(self.quoted(host))
          user: \(context)
      current-context: \(context)

      """
  }

  /// A double-quoted scalar (YAML 1.2 section 7.3.1).
  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\\(scalar)"
      case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}", "\u{FEFF}":
        let hexadecimal = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - hexadecimal.count) + hexadecimal
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}

import Foundation
import SallyportCommands
import SallyportFiles
import SallyportIssuer
import SallyportPKI

/// The demo's files: certificates, the password file, the configuration and a kubeconfig for each person.
///
/// Everything is made anew at each start, so that nothing expires in a folder and no key is ever shipped.
struct DemoFolder {
  let path: String
  /// Bob's password, for the text that is printed.
  let password: String

  /// The files by what they are for; relative to the folder, as the configuration names them.
  enum Name {
    static let serverCA = "server-ca.pem"
    static let server = "server.pem"
    static let serverKey = "server.key"
    static let clientCA = "client-ca.pem"
    static let frontProxyCA = "front-proxy-ca.pem"
    static let frontProxy = "front-proxy.pem"
    static let frontProxyKey = "front-proxy.key"
    static let clusterServer = "cluster.pem"
    static let clusterServerKey = "cluster.key"
    static let dashboardServer = "dashboard.pem"
    static let dashboardServerKey = "dashboard.key"
    static let issuer = "issuer"
    static let users = "users.yaml"
    static let configuration = "sallyport.yaml"
    static let audit = "audit"
    /// In a folder of its own, which is made so that nobody else can enter it.
    static let control = "control/control.sock"
  }

  /// Where the gateway serves the dashboard.
  static let dashboardPath = "/dashboard"

  func file(_ name: String) -> String { "\(self.path)/\(name)" }

  /// Whether the folder is near enough to have a socket in it: their paths are short.
  var hasControl: Bool { self.file(Name.control).utf8.count <= SocketPlace.longestPath }

  /// Makes the folder with its certificates and the password file.
  ///
  /// - Parameters:
  ///   - path: the folder; made if it is not there
  ///   - password: for those who sign in by password
  /// - Throws: an error that names the file that could not be written.
  init(path: String, password: String) throws {
    self.path = path
    self.password = password
    try Self.checkIsOurs(path)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])

    // Three authorities, as a cluster has them: who signs servers, who signs people, who signs front proxies. One that
    // signs people must not sign front proxies, or everybody could state everybody's identity.
    let servers = try CertificateAuthority(.authority("Sallyport demo: servers"))
    let people = try CertificateAuthority(.authority("Sallyport demo: people"))
    let proxies = try CertificateAuthority(.authority("Sallyport demo: front proxies"))
    // First: by it the folder is known as a demo's the next time, wherever this run ends.
    try self.write(Self.mark, to: Name.configuration)
    try self.write(servers.certificatePEM, to: Name.serverCA)
    try self.write(people.certificatePEM, to: Name.clientCA)
    try self.write(proxies.certificatePEM, to: Name.frontProxyCA)

    let names = ["localhost", "127.0.0.1", "::1"]
    try self.write(servers.issue(.server(names: names)), certificate: Name.server, key: Name.serverKey)
    try self.write(servers.issue(.server(names: ["kubernetes"] + names)), certificate: Name.clusterServer, key: Name.clusterServerKey)
    try self.write(
      servers.issue(.server(names: ["dashboard"] + names)), certificate: Name.dashboardServer, key: Name.dashboardServerKey)
    try? FileManager.default.removeItem(atPath: self.file(Name.issuer))
    _ = try KeyRotation(KeyDirectory(self.file(Name.issuer)), tokenLifetime: 300).rotate(.es256, at: Date())
    try self.write(proxies.issue(.frontProxy()), certificate: Name.frontProxy, key: Name.frontProxyKey)
    for person in DemoPerson.all where person.credential == .certificate {
      try self.write(
        people.issue(.client(person.name, groups: person.groups)), certificate: "\(person.name).pem", key: "\(person.name).key")
    }

    var users = "# Written by `sallyport demo`. Hashes are made by `sallyport password`.\nusers:\n"
    for person in DemoPerson.all where person.credential == .password {
      users +=
        "- name: \(person.name)\n  passwordHash: \"\(try PasswordHashing.yescrypt.hash(password))\"\n  groups: [\(person.groups.joined(separator: ", "))]\n"
    }
    try self.write(users, to: Name.users, permissions: 0o600)
  }

  /// What the configuration of a demo begins with.
  private static let mark = "# Written by `sallyport demo`"

  /// - Throws: ``DemoFault`` for a folder with something in it that no demo has written: files would be overwritten
  private static func checkIsOurs(_ path: String) throws {
    guard let content = try? FileManager.default.contentsOfDirectory(atPath: path), !content.isEmpty else { return }
    let configuration = try? String(contentsOfFile: "\(path)/\(Name.configuration)", encoding: .utf8)
    guard configuration?.hasPrefix(self.mark) == true else {
      throw DemoFault("\(path) is not empty, and no earlier demo made it; name another folder with --directory")
    }
  }

  /// Writes the gateway's configuration: what a small real one looks like.
  func writeConfiguration(port: Int, clusterPort: Int, dashboardPort: Int) throws {
    try self.write(
      """
      \(Self.mark): the gateway before the practice cluster. Try `sallyport check --config` on it.
      apiVersion: sallyport.dev/v1alpha1
      kind: Gateway
      listeners:
      - name: main
        address: 127.0.0.1:\(port)
        tls:
          certificateFile: \(Name.server)
          privateKeyFile: \(Name.serverKey)
          clientCAFile: \(Name.clientCA)
      authentication:
        clientCertificates: {username: subject.commonName, groups: subject.organization}
        passwords:
        - passwordFile: {file: \(Name.users)}
        signIn: {name: Sallyport demo, clientCertificate: true}    # a page for browsers
      issuer:
        url: https://127.0.0.1:\(port)/.sallyport
        signingKeysDirectory: \(Name.issuer)
        tokenExchange:                           # for `sallyport login` and `sallyport credential`
          clients:
          - {id: kubectl, public: {signIn: [password, clientCertificate]}}
      credentials:
      - name: dashboard-token                    # for the gateway's own API route, and for nobody else
        idToken: {audience: sallyport}
      - name: front-proxy
        requestHeaders: {certificateFile: \(Name.frontProxy), privateKeyFile: \(Name.frontProxyKey)}
      upstreams:
      - name: kubernetes
        kind: kubernetes
        servers: [https://127.0.0.1:\(clusterPort)]
        caFile: \(Name.serverCA)
        serverName: kubernetes
      - name: dashboard
        servers: [https://127.0.0.1:\(dashboardPort)]
        caFile: \(Name.serverCA)
        serverName: dashboard
      routes:
      - name: dashboard
        match: {path: \(Self.dashboardPath)}
        upstream: dashboard
        credential: dashboard-token
        authenticate: [session, clientCertificate, password]
      - name: api
        match: {path: /}
        upstream: kubernetes
        credential: front-proxy
        authenticate: [clientCertificate, password, token]   # tokens: the dashboard's, and those of `sallyport login`
        anonymous: [/livez, /readyz]
      audit: {directory: \(Name.audit)}
      \(self.hasControl ? "control: {socket: \(Name.control)}                # where `sallyport sessions` asks" : "")
      """, to: Name.configuration)
  }

  /// Writes each person's kubeconfig, with everything in it.
  func writeKubeconfigs(port: Int) throws {
    for person in DemoPerson.all {
      let user: Kubeconfig.User =
        switch person.credential {
        case .certificate:
          .certificate(
            try .init(file: self.file("\(person.name).pem"), embed: true),
            key: try .init(file: self.file("\(person.name).key"), embed: true))
        case .password: .basic(username: person.name, password: self.password)
        }
      let kubeconfig = try Kubeconfig(
        server: "https://127.0.0.1:\(port)", authority: try .init(file: self.file(Name.serverCA), embed: true), user: user,
        userName: person.name, namespace: "dev")
      try self.write(kubeconfig.yaml, to: Self.kubeconfig(person), permissions: 0o600)
    }
  }

  static func kubeconfig(_ person: DemoPerson) -> String { "\(person.name).kubeconfig" }

  private func write(_ issued: IssuedCertificate, certificate: String, key: String) throws {
    try self.write(issued.chainPEM, to: certificate)
    try self.write(issued.privateKeyPEM, to: key, permissions: 0o600)
  }

  private func write(_ content: String, to name: String, permissions: Int = 0o644) throws {
    let path = self.file(name)
    // Removed first: what is there may have other permissions, and a key must not be readable even for a moment.
    try? FileManager.default.removeItem(atPath: path)
    guard FileManager.default.createFile(atPath: path, contents: Data(content.utf8), attributes: [.posixPermissions: permissions]) else {
      throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: path])
    }
  }
}

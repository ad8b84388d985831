import Crypto
import SallyportConfiguration
import SallyportStrictYAML
import Testing

@Suite struct ValidConfigurationTests {
  @Test func everyKeyIsRead() throws {
    let read = try load(everyKey)
    #expect(read.eventLoops == 3)
    #expect(read.hash == SHA256.hash(data: Array(everyKey.utf8)).description.replacing("SHA256 digest: ", with: ""))

    let listener = try #require(read.listeners.first)
    #expect(read.listeners.count == 1)
    #expect(listener.name == "main")
    #expect(listener.address.host == "0.0.0.0")
    #expect(listener.address.port == 8443)
    #expect(listener.tls.certificateFile.path == "/etc/sallyport/certs/server.pem")
    #expect(listener.tls.privateKeyFile.path == "/etc/sallyport/certs/server.key")
    #expect(listener.tls.clientCAFile?.path == "/etc/sallyport/certs/client-ca.pem")
    #expect(listener.tls.minimumVersion == .tls13)
    #expect(listener.clientAddress.trustedPeers.map(\.description) == ["10.0.0.0/8", "2001:db8::/32"])
    #expect(listener.clientAddress.proxyProtocol)
    #expect(listener.limits.headBytes == 1_048_576)
    #expect(listener.limits.fieldCount == 100)
    #expect(listener.limits.connections == 1000)
    #expect(listener.limits.connectionsPerAddress == 50)
    #expect(listener.limits.streamsPerConnection == 20)
    #expect(!listener.http2)
    #expect(listener.limits.handshakeTimeout == .seconds(5))
    #expect(listener.limits.headTimeout == .seconds(6))
    #expect(listener.limits.idleTimeout == .seconds(420))
    #expect(listener.limits.bodyTimeout == .seconds(8))
    #expect(listener.limits.streamGrace == .seconds(9))
    #expect(listener.limits.maximumStreamAge == .seconds(36_000))

    let authentication = read.authentication
    #expect(authentication.clientCertificates?.username == .subjectCommonName)
    #expect(authentication.clientCertificates?.groups == .subjectOrganization)
    guard case .passwordFile(let users) = authentication.passwords.first else {
      Issue.record("no password file")
      return
    }
    #expect(authentication.passwords.count == 1)
    #expect(users.path == "/etc/sallyport/certs/users.yaml")
    #expect(users.place.keyPath == "authentication.passwords[0].passwordFile.file")
    #expect(authentication.cacheLifetime == .seconds(30))
    #expect(authentication.throttle.failures == 3)
    #expect(authentication.throttle.per == .seconds(120))
    #expect(authentication.throttle.lockout == .seconds(600))
    #expect(authentication.allowSystemNames.users == ["system:monitor"])
    #expect(authentication.allowSystemNames.groups == ["system:masters"])
  }

  @Test func everyKeyBehindTheDoorIsRead() throws {
    let read = try load(everyKey)
    #expect(read.credentials.map(\.name) == ["front-proxy", "nobody"])
    guard case .requestHeaders(let certificate, let key) = read.credentials[0].kind else {
      Issue.record("no request headers")
      return
    }
    #expect(certificate.path == "/etc/sallyport/certs/front-proxy.pem")
    #expect(key.path == "/etc/front-proxy.key")
    #expect(read.credentials[1].kind == .nothing)

    let kubernetes = read.upstreams[0]
    #expect(kubernetes.name == "kubernetes")
    #expect(kubernetes.kind == .kubernetes)
    #expect(kubernetes.servers.map(\.description) == ["https://10.0.0.1:6443", "https://[::1]:443"])
    #expect(kubernetes.caFile?.path == "/etc/sallyport/certs/cluster-ca.pem")
    #expect(kubernetes.serverName == "kubernetes")
    #expect(kubernetes.connectTimeout == .seconds(1))
    #expect(kubernetes.idleTimeout == .seconds(2))
    #expect(kubernetes.maximumConnections == 12)
    #expect(kubernetes.responseHeadTimeout == .seconds(90))
    #expect(kubernetes.isEncrypted)
    let dashboard = read.upstreams[1]
    #expect(dashboard.kind == .generic)
    #expect(dashboard.servers.map(\.description) == ["http://dashboard.svc:80"])
    #expect(!dashboard.isEncrypted)
    #expect(kubernetes.openapi == nil)
    guard case .file(let openapi) = dashboard.openapi else {
      Issue.record("no OpenAPI document")
      return
    }
    #expect(openapi.path == "/etc/sallyport/dashboard.json")

    #expect(read.routes.map(\.name) == ["dashboard", "api"])
    #expect(read.routes[0].match.hosts == ["dashboard.example.org"])
    #expect(read.routes[0].match.path == "/ui")
    #expect(read.routes[0].authenticate == [.password, .token])
    #expect(read.routes[0].impersonation == .forward)
    #expect(read.routes[1].upstream == "kubernetes")
    #expect(read.routes[1].credential == "front-proxy")
    #expect(read.routes[1].authenticate == [.clientCertificate, .password])
    #expect(read.routes[1].anonymous == ["/healthz", "/version"])
    #expect(read.routes[1].impersonation == .refuse)
    #expect(read.routes[0].policies == nil)
    #expect(read.routes[1].policies?.map(\.name) == ["secrets-are-private"])
    #expect(read.policy.files.map(\.path) == ["/etc/sallyport/policies/*.yaml"])

    #expect(read.audit.directory.path == "/etc/sallyport/audit")
    #expect(read.audit.durability == .synced)
    var rotation = GatewayConfiguration.Audit.Rotation()
    rotation.size = 50 << 20
    rotation.every = .seconds(86_400)
    rotation.keep = 30
    rotation.maxAge = .seconds(30 * 86_400)
    rotation.totalSize = 5 << 30
    rotation.compress = false
    #expect(read.audit.rotation == rotation)
    #expect(read.audit.unauthenticatedSize == 32 << 20)
    #expect(read.audit.checkpointKeyFile?.path == "/etc/sallyport/audit.key")
    #expect(read.audit.stdout)
    #expect(read.audit.policyFile?.path == "/etc/sallyport/audit-policy.yaml")
    #expect(read.audit.bodyLimit == 128 << 10)
  }

  @Test func everyKeyThatIsNotWrittenHasItsDefault() throws {
    let read = try load(leastKeys)
    #expect(read.eventLoops == nil)
    let listener = read.listeners[0]
    #expect(listener.address.description == "[::1]:8443")
    #expect(listener.tls.clientCAFile == nil)
    #expect(listener.tls.minimumVersion == .tls12)
    #expect(listener.clientAddress.trustedPeers.isEmpty)
    #expect(!listener.clientAddress.proxyProtocol)
    #expect(listener.limits.headBytes == 65536)
    #expect(listener.limits.fieldCount == 512)
    #expect(listener.limits.connections == 16384)
    #expect(listener.limits.connectionsPerAddress == 4096)
    #expect(listener.limits.streamsPerConnection == 100)
    #expect(listener.http2)
    #expect(listener.limits.handshakeTimeout == .seconds(10))
    #expect(listener.limits.headTimeout == .seconds(10))
    #expect(listener.limits.idleTimeout == .seconds(120))
    #expect(listener.limits.bodyTimeout == .seconds(60))
    #expect(listener.limits.streamGrace == .zero)
    #expect(listener.limits.maximumStreamAge == nil)
    #expect(read.authentication.clientCertificates == nil)
    #expect(read.authentication.cacheLifetime == .seconds(60))
    #expect(read.authentication.throttle.failures == 5)
    #expect(read.authentication.throttle.per == .seconds(60))
    #expect(read.authentication.throttle.lockout == .seconds(300))
    #expect(read.authentication.allowSystemNames == .init())
    let upstream = read.upstreams[0]
    #expect(upstream.kind == .generic)
    #expect(upstream.caFile == nil)
    #expect(upstream.serverName == nil)
    #expect(upstream.connectTimeout == .seconds(5))
    #expect(upstream.idleTimeout == .seconds(30))
    #expect(upstream.maximumConnections == 4096)
    #expect(upstream.responseHeadTimeout == nil)
    #expect(upstream.openapi == nil)
    let route = read.routes[0]
    #expect(route.match == .init())
    #expect(route.match.path == "/")
    #expect(route.anonymous.isEmpty)
    #expect(route.impersonation == .forward)
    #expect(route.policies == nil)
    #expect(read.policy.files.isEmpty)
    #expect(read.audit.directory.path == "/var/log/sallyport")
    #expect(read.audit.durability == .written)
    #expect(read.audit.rotation == GatewayConfiguration.Audit.Rotation())
    #expect(read.audit.unauthenticatedSize == 64 << 20)
    #expect(read.audit.checkpointKeyFile == nil)
    #expect(!read.audit.stdout)
    #expect(read.audit.policyFile == nil)
    #expect(read.audit.bodyLimit == 64 << 10)
  }

  @Test func anEmptySectionTurnsCertificatesOnWithTheirDefaults() throws {
    let text = leastKeys.replacing("  passwords:", with: "  clientCertificates: {}\n  passwords:")
      .replacing("[password]", with: "[password, clientCertificate]")
      .replacing("server.key}", with: "server.key, clientCAFile: ca.pem}")
    #expect(try load(text).authentication.clientCertificates == .init())
  }

  @Test func equalTextIsAnEqualValue() throws {
    #expect(try load(everyKey) == load(everyKey))
    #expect(try load(leastKeys) != load(everyKey))
    #expect(try load(leastKeys) != load(leastKeys + "\n"), "the hash tells them apart")
  }

  @Test func pathsAreSeenFromTheDirectoryOfTheFileThatNamesThem() throws {
    func directory(_ file: String) throws -> String {
      try GatewayConfiguration.load(yaml: everyKey, fileName: file).audit.directory.path
    }
    #expect(try directory("sallyport.yaml") == "audit")
    #expect(try directory("conf/sallyport.yaml") == "conf/audit")
    #expect(try directory("/sallyport.yaml") == "/audit")
  }
}

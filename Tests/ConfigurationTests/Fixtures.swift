import SallyportConfiguration
import SallyportStrictYAML

/// A configuration with every key that this version knows, each at a value that is not its default.
let everyKey = """
  apiVersion: sallyport.dev/v1alpha1
  kind: Gateway
  server:
    eventLoops: 3
  listeners:
  - name: main
    http2: false
    address: 0.0.0.0:8443
    tls:
      certificateFile: certs/server.pem
      privateKeyFile: certs/server.key
      clientCAFile: certs/client-ca.pem
      minimumVersion: "1.3"
    clientAddress: {proxyProtocol: true,
      trustedPeers: [10.0.0.0/8, "2001:db8::/32"]}
    limits:
      headBytes: 1MiB
      fieldCount: 100
      connections: 1000
      connectionsPerAddress: 50
      handshakeTimeout: 5s
      headTimeout: 6s
      idleTimeout: 7m
      bodyTimeout: 8s
      streamsPerConnection: 20
      streamGrace: 9s
      maximumStreamAge: 10h
  authentication:
    clientCertificates: {uid: fingerprint, extra: {example.org/serial: serial}, issuers: ["CN=Users"], policies: [1.2.3], revocation: {crlFiles: [certs/revoked.crl], ocsp: off},
      username: subject.commonName,
      groups: subject.organization}
    passwords:
    - passwordFile: {file: certs/users.yaml}
    cache: {lifetime: 30s}
    throttle: {failures: 3, per: 2m, lockout: 10m}
    allowSystemNames:
      users: ["system:monitor"]
      groups: ["system:masters"]
    tokens: [{jwt: {issuer: {url: "https://idp.example.org", discoveryURL: "https://idp.internal/d", audiences: [kubernetes], audienceMatchPolicy: MatchAny, certificateAuthorityFile: idp.pem}, algorithms: [RS256], claimMappings: {username: {claim: email, prefix: ""}, groups: {claim: groups, prefix: "idp:"}, uid: {claim: sub}, extra: [{key: example.org/department, claim: department}]}, claimValidationRules: [{claim: hd, requiredValue: example.org}], requiredScopes: [kubernetes]}}, {introspection: {url: "https://idp.example.org/introspect", clientID: sallyport, clientSecretFile: introspection-secret, clientAuthentication: post, certificateAuthorityFile: idp.pem, timeout: 3s, issuer: "https://idp.example.org", audiences: [kubernetes], claimMappings: {username: {claim: username, prefix: ""}, groups: {claim: groups, prefix: "op:"}, uid: {claim: sub}, extra: [{key: a, claim: b}]}, claimValidationRules: [{claim: client_id, requiredValue: kubectl}], requiredScopes: [kubernetes]}}, {introspection: {url: "https://idp.example.org/signed", clientID: sallyport, clientAuthentication: privateKeyJWT, clientKeyFile: client.key, clientKeyID: gateway-1, clientAssertionAudience: "https://idp.example.org/token", answer: introspectionJWT, discoveryURL: "https://idp.internal/d", algorithms: [ES256], issuer: "https://idp.example.org", claimMappings: {username: {claim: username, prefix: "signed:"}}}}, {tokenReview: {upstream: "kubernetes", audiences: [sallyport], timeout: 2s}}, {authenticationConfigurationFile: k8s.yaml}]
  credentials:
  - name: front-proxy
    requestHeaders: {certificateFile: certs/front-proxy.pem, privateKeyFile: /etc/front-proxy.key}
  - name: nobody
    none: {}

  upstreams:
  - name: kubernetes
    kind: kubernetes
    servers: ["https://10.0.0.1:6443", "https://[::1]"]
    caFile: certs/cluster-ca.pem
    serverName: Kubernetes
    connectTimeout: 1s
    idleTimeout: 2s
    maximumConnections: 12
    responseHeadTimeout: 90s
  - name: dashboard
    servers: [http://Dashboard.svc]
    insecurePlaintext: true
    openapi: dashboard.json

  routes:
  - name: dashboard
    match: {hosts: [dashboard.example.org], path: /ui}
    upstream: dashboard
    credential: nobody
    authenticate: [password, token]
  - name: api
    match: {path: /}
    upstream: kubernetes
    credential: front-proxy
    authenticate: [clientCertificate, password]
    anonymous: [/healthz, /version]
    impersonation: refuse
    policies: [secrets-are-private]
    require: {methods: [passwordFile]}
  audit:
    directory: audit
    durability: synced
    rotate: {size: 50MiB, every: 24h, keep: 30, maxAge: 720h, totalSize: 5GiB, compress: false}
    unauthenticatedSize: 32MiB
    checkpointKeyFile: audit.key
    stdout: true
    policyFile: audit-policy.yaml
    bodyLimit: 128KiB

  policy:
    files: ["policies/*.yaml"]

  admin: {address: 127.0.0.1:9090}
  control: {socket: run/control.sock}
  reload: {watch: false, interval: 30s, settle: 3s}
  shutdown: {delay: 4s, grace: 40s, streamGrace: 20s}
  """

/// The least that a configuration can say.
let leastKeys = """
  apiVersion: sallyport.dev/v1alpha1
  kind: Gateway
  listeners:
  - name: main
    address: "[::1]:8443"
    tls: {certificateFile: server.pem, privateKeyFile: server.key}
  authentication:
    passwords:
    - passwordFile: {file: users.yaml}
  credentials:
  - {name: nobody, none: {}}
  upstreams:
  - {name: app, servers: ["https://app.example.org"]}
  routes:
  - {name: all, upstream: app, credential: nobody, authenticate: [password]}
  audit: {directory: /var/log/sallyport}
  """

func load(_ yaml: String) throws(ConfigurationFaults) -> GatewayConfiguration {
  try GatewayConfiguration.load(yaml: yaml, fileName: "/etc/sallyport/s.yaml")
}

/// The lines of the faults that a changed configuration has, without the file's name.
func faults(in yaml: String, replacing old: String = "", by new: String = "") -> [String] {
  precondition(old.isEmpty || yaml.contains(old), "the fixture does not hold what is to be replaced")
  do throws(ConfigurationFaults) {
    _ = try load(old.isEmpty ? yaml : yaml.replacing(old, with: new, maxReplacements: 1))
    return []
  } catch {
    return error.faults.map { $0.description.replacing("/etc/sallyport/s.yaml:", with: "") }
  }
}

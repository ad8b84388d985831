// swift-tools-version: 6.1
import PackageDescription

/// Every target of the house is compiled alike: Swift 6 language mode, no warnings, explicit imports.
let houseRules: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .unsafeFlags(["-warnings-as-errors"]),
]

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioConcurrencyHelpers = Target.Dependency.product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioHTTP2 = Target.Dependency.product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioHPACK = Target.Dependency.product(name: "NIOHPACK", package: "swift-nio-http2")
let x509 = Target.Dependency.product(name: "X509", package: "swift-certificates")
let swiftASN1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let coreMetrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

/// A station of the house: the folder has the station's bare name, the module carries the project's.
func station(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: "Sallyport\(name)", dependencies: dependencies, path: "Sources/\(name)", swiftSettings: houseRules)
}

func tests(of name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: "Sallyport\(name)Tests", dependencies: dependencies, path: "Tests/\(name)Tests", swiftSettings: houseRules)
}

let package = Package(
  name: "sallyport",
  platforms: [.macOS(.v15)],
  products: [.executable(name: "sallyport", targets: ["sallyport"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
    .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
    .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
    .package(url: "https://github.com/apple/swift-crypto", "4.5.2"..<"5.0.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
  ],
  targets: [
    // The language of the house: messages as bytes, then the values that every station shares.
    station("Wire", [nioCore]),
    station("Core", ["SallyportWire", nioCore]),
    station("Tunnel", ["SallyportCore", nioCore, nioSSL]),
    station("Revocation", ["SallyportCore", "COpenSSL"]),

    // The stations, in the order of a request's way. None imports another; `Service` joins them.
    station(
      "Listener",
      [
        "SallyportCore", "SallyportWire", "SallyportTunnel", nioCore, nioPosix, nioTLS, nioSSL, nioHTTP2, nioHPACK, x509, swiftASN1, crypto,
        logging,
        nioConcurrencyHelpers,
      ]),
    station(
      "Authentication",
      [
        "SallyportCore", "SallyportWire", "SallyportStrictYAML", "SallyportRevocation", "CCrypt", nioCore, nioPosix, nioConcurrencyHelpers,
        crypto, x509, swiftASN1, "SallyportJSON", "SallyportJOSE", "SallyportSessions", "SallyportRedis", asyncHTTPClient, nioSSL, nioHTTP1,
      ]),
    // Password stores over C libraries: part of authentication, behind its protocol, and the only importers of their library.
    station("LDAPSyntax", []),
    station(
      "AuthenticationLDAP",
      ["SallyportAuthentication", "SallyportCore", "SallyportLDAPSyntax", "CLDAP", nioCore, nioConcurrencyHelpers, logging]),
    station("AuthenticationPAM", ["SallyportAuthentication", "SallyportCore", "CPAM", logging]),
    station("Policy", ["SallyportCore", "SallyportWire", "SallyportStrictYAML", nioCore]),
    // The gateway as an OpenID provider, of use to the credentials that are tokens.
    station("Issuer", ["SallyportCore", "SallyportWire", "SallyportJSON", "SallyportJOSE", crypto, cryptoExtras]),
    station(
      "Credential",
      ["SallyportCore", "SallyportWire", "SallyportIssuer", "SallyportTemplates", nioCore, nioConcurrencyHelpers, x509, swiftASN1, crypto]),
    station(
      "Upstream",
      [
        "SallyportCore", "SallyportWire", "SallyportTunnel", nioCore, nioPosix, nioTLS, nioSSL, nioConcurrencyHelpers, x509, swiftASN1,
        crypto, logging,
      ]),
    station("Audit", ["SallyportCore", "SallyportWire", "SallyportStrictYAML", "CZlib", nioCore, nioConcurrencyHelpers, crypto]),

    // Beside the way.
    station("JSON", []),
    station("JOSE", ["SallyportJSON", crypto, cryptoExtras]),
    // A client of Redis servers: the wire protocol and one connection.
    station("Redis", ["SallyportCore", nioCore, nioPosix, nioSSL]),
    station("Sessions", ["SallyportCore", "SallyportJOSE", "SallyportRedis", nioCore, nioConcurrencyHelpers, crypto]),
    // The pages of the gateway's own: text in, text out.
    station("Portal", ["SallyportCore", "SallyportWire", "SallyportJOSE", "SallyportJSON", crypto, mustache]),
    station("AuditReview", ["SallyportAudit", nioCore, crypto]),
    // Alone with the C library: beside other modules that include its headers, which of them has the members of `stat` varies.
    station("Files", []),
    station("Metrics", [coreMetrics, nioConcurrencyHelpers]),
    station("StrictYAML", [yams]),
    // Texts with places for values: headers that routes set, error pages.
    station("Templates", [mustache]),
    station(
      "Configuration",
      ["SallyportStrictYAML", "SallyportLDAPSyntax", "SallyportJOSE", "SallyportTemplates", "SallyportWire", "SallyportCore", crypto]),
    station("PKI", ["COpenSSL", x509, swiftASN1, crypto]),
    station(
      "PracticeCluster",
      [
        "CZlib", nioCore, nioPosix, nioHTTP1, nioSSL, nioConcurrencyHelpers, x509, swiftASN1, crypto, cryptoExtras, asyncHTTPClient,
        logging,
      ]),

    // Behind the gateway like any web application, for the demo and the tests: it shares no code with the gateway.
    station(
      "PracticeDashboard",
      [nioCore, nioPosix, nioHTTP1, nioSSL, nioConcurrencyHelpers, asyncHTTPClient, crypto, logging, mustache]),

    // The composition root and the commands.
    station(
      "Commands",
      [
        "SallyportPKI", "CCrypt", "SallyportService", "SallyportConfiguration", "SallyportPolicy", "SallyportStrictYAML", "SallyportCore",
        "SallyportWire", "SallyportJSON", "SallyportJOSE", "SallyportFiles", asyncHTTPClient, nioCore, nioPosix, nioHTTP1, nioSSL,
        crypto,
      ]),
    station(
      "Service",
      [
        "SallyportWire", "SallyportCore", "SallyportTunnel", "SallyportRevocation", "SallyportListener", "SallyportAuthentication",
        "SallyportPolicy", "SallyportAuthenticationLDAP", "SallyportAuthenticationPAM", "SallyportLDAPSyntax",
        "SallyportCredential", "SallyportIssuer", "SallyportJSON", "SallyportPortal", "SallyportSessions", "SallyportRedis",
        "SallyportUpstream", "SallyportAudit", "SallyportConfiguration", "SallyportStrictYAML", "SallyportMetrics", "SallyportFiles",
        "SallyportTemplates", nioCore, nioPosix,
        nioSSL,
        nioConcurrencyHelpers, crypto, logging, metrics, coreMetrics,
      ]),
    station(
      "Demo",
      [
        "SallyportCommands", "SallyportService", "SallyportConfiguration", "SallyportIssuer", "SallyportPKI", "SallyportPracticeCluster",
        "SallyportPracticeDashboard", "SallyportFiles", nioCore, nioPosix, logging,
      ]),
    .executableTarget(
      name: "sallyport",
      dependencies: [
        "SallyportDemo", "SallyportIssuer", nioCore, nioPosix,
        "SallyportService", "SallyportCommands", "SallyportConfiguration", "SallyportPKI", "SallyportPracticeCluster",
        "SallyportAuthentication", "SallyportPolicy", "SallyportCore", "SallyportWire", "SallyportMetrics", "SallyportAuditReview",
        argumentParser,
        logging, metrics,
      ],
      path: "Sources/main", swiftSettings: houseRules),

    // What `make bench` measures policies with.
    .executableTarget(
      name: "sallyport-policy-bench", dependencies: ["SallyportPolicy", "SallyportCore", "SallyportWire", "CAllocationCount"],
      path: "Benchmarks/PolicyBench", swiftSettings: houseRules),
    // And the audit log.
    .executableTarget(
      name: "sallyport-audit-bench",
      dependencies: ["SallyportAudit", "SallyportAuditReview", "SallyportCore", "SallyportWire", nioCore, nioPosix],
      path: "Benchmarks/AuditBench", swiftSettings: houseRules),
    // And what upstreams are told by.
    .executableTarget(
      name: "sallyport-credential-bench",
      dependencies: ["SallyportCredential", "SallyportIssuer", "SallyportCore", "SallyportPKI", "CAllocationCount", nioCore],
      path: "Benchmarks/CredentialBench", swiftSettings: houseRules),
    .target(name: "CAllocationCount", path: "Benchmarks/CAllocationCount"),

    .systemLibrary(name: "CCrypt", path: "Sources/CCrypt", providers: [.apt(["libcrypt-dev"])]),
    .systemLibrary(name: "CZlib", path: "Sources/CZlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CLDAP", path: "Sources/CLDAP", providers: [.apt(["libldap2-dev"])]),
    .systemLibrary(name: "CPAM", path: "Sources/CPAM", providers: [.apt(["libpam0g-dev"])]),
    .systemLibrary(name: "COpenSSL", path: "Sources/COpenSSL", providers: [.apt(["libssl-dev"])]),

    .target(
      name: "TestSupport",
      dependencies: [
        "SallyportPKI", "SallyportWire", "SallyportAuthentication", "SallyportCore", "SallyportJOSE", nioCore, nioPosix, nioTLS, nioSSL,
        nioConcurrencyHelpers, crypto, cryptoExtras,
      ],
      path: "Tests/TestSupport", swiftSettings: houseRules),
    tests(of: "Wire", ["SallyportWire", "TestSupport", nioCore, nioEmbedded, nioHTTP1]),
    tests(of: "Core", ["SallyportCore", "SallyportWire", "TestSupport", nioCore]),
    tests(
      of: "Revocation",
      ["SallyportRevocation", "SallyportCore", "SallyportListener", "SallyportPKI", "TestSupport", x509, swiftASN1, crypto]),
    tests(of: "Tunnel", ["SallyportTunnel", "SallyportCore", nioCore, nioPosix, nioEmbedded]),
    tests(
      of: "Listener",
      [
        "SallyportListener", "SallyportCore", "SallyportWire", "SallyportPKI", "TestSupport", nioCore, nioPosix, nioEmbedded, nioSSL,
        nioHTTP2, nioHPACK, x509, swiftASN1, logging, nioConcurrencyHelpers,
      ]),
    tests(
      of: "Authentication",
      [
        "SallyportAuthentication", "SallyportCore", "SallyportWire", "SallyportStrictYAML", "SallyportPKI", "TestSupport", nioCore,
        nioPosix, nioEmbedded, nioConcurrencyHelpers, crypto, cryptoExtras, "SallyportJOSE", "SallyportJSON", nioSSL,
      ]),
    tests(of: "LDAPSyntax", ["SallyportLDAPSyntax", "TestSupport"]),
    tests(
      of: "AuthenticationLDAP",
      [
        "SallyportAuthenticationLDAP", "SallyportAuthentication", "SallyportCore", "SallyportLDAPSyntax", "SallyportPKI", "TestSupport",
        nioCore, nioConcurrencyHelpers, logging,
      ]),
    tests(
      of: "AuthenticationPAM", ["SallyportAuthenticationPAM", "SallyportAuthentication", "SallyportCore", "TestSupport", nioCore, logging]),
    tests(of: "Policy", ["SallyportPolicy", "SallyportCore", "SallyportWire", "SallyportStrictYAML", "TestSupport", nioCore]),
    tests(of: "Issuer", ["SallyportIssuer", "SallyportJOSE", "SallyportJSON", "SallyportCore", "TestSupport", crypto]),
    tests(
      of: "Credential",
      [
        "SallyportCredential", "SallyportIssuer", "SallyportJOSE", "SallyportJSON", "SallyportPKI", "SallyportCore", "SallyportWire",
        "SallyportTemplates", "TestSupport", nioCore, nioPosix, nioConcurrencyHelpers, x509, swiftASN1, crypto,
      ]),
    tests(
      of: "Upstream",
      [
        "SallyportUpstream", "SallyportCore", "SallyportWire", "SallyportPKI", "TestSupport", nioCore, nioPosix, nioEmbedded, nioSSL,
        nioTLS, nioConcurrencyHelpers, crypto, logging,
      ]),
    tests(
      of: "Audit",
      ["SallyportAudit", "SallyportCore", "SallyportWire", "SallyportStrictYAML", "TestSupport", nioCore, nioPosix, nioConcurrencyHelpers]),
    tests(of: "AuditReview", ["SallyportAuditReview", "SallyportAudit", "SallyportCore", "TestSupport", nioCore, nioPosix]),
    tests(of: "Metrics", ["SallyportMetrics", coreMetrics]),
    tests(of: "Templates", ["SallyportTemplates"]),
    tests(of: "JSON", ["SallyportJSON"]),
    tests(of: "Redis", ["SallyportRedis", "SallyportCore", "SallyportPKI", "TestSupport", nioCore, nioPosix, nioEmbedded, nioSSL]),
    tests(of: "Sessions", ["SallyportSessions", "SallyportRedis", "SallyportCore", "TestSupport", nioCore, nioEmbedded, nioPosix, crypto]),
    tests(of: "Portal", ["SallyportPortal", "SallyportCore", "TestSupport", crypto]),
    tests(of: "JOSE", ["SallyportJOSE", "SallyportJSON", crypto, cryptoExtras]),
    tests(of: "StrictYAML", ["SallyportStrictYAML"]),
    tests(
      of: "Configuration",
      [
        "SallyportConfiguration", "SallyportStrictYAML", "SallyportLDAPSyntax", "SallyportTemplates", "SallyportWire", "SallyportJOSE",
        "TestSupport", crypto,
      ]),
    tests(
      of: "Commands",
      [
        "SallyportCommands", "SallyportPKI", "SallyportPolicy", "SallyportService", "SallyportStrictYAML", "SallyportCore", "SallyportWire",
        "SallyportJSON", "SallyportJOSE", "TestSupport", "CCrypt", nioCore, nioConcurrencyHelpers,
      ]),
    tests(of: "PKI", ["SallyportPKI", "TestSupport", x509, swiftASN1, nioSSL]),
    tests(of: "PracticeCluster", ["SallyportPracticeCluster", "SallyportPKI", "SallyportJOSE", "TestSupport", nioCore, nioPosix, nioSSL]),
    tests(
      of: "Service",
      [
        "SallyportService", "SallyportFiles", "SallyportConfiguration", "SallyportAudit", "SallyportCore", "SallyportWire",
        "SallyportPolicy", "SallyportUpstream",
        "SallyportCredential", "SallyportAuthentication", "SallyportPracticeCluster", "SallyportPKI", "SallyportMetrics", "TestSupport",
        nioCore, nioPosix, nioEmbedded, nioConcurrencyHelpers, logging,
      ]),
    tests(
      of: "RequestPath",
      [
        "SallyportService", "SallyportConfiguration", "SallyportAuthentication", "SallyportAudit", "SallyportListener",
        "SallyportPracticeCluster", "SallyportPracticeDashboard", "SallyportPKI", "SallyportWire", "SallyportCore", "SallyportMetrics",
        "SallyportJOSE", "SallyportJSON", "SallyportIssuer", "SallyportStrictYAML", "TestSupport", nioCore, nioPosix, nioTLS, nioSSL,
        nioConcurrencyHelpers, crypto, logging,
      ]),
    .testTarget(
      name: "SallyportSystemTests",
      dependencies: [
        "SallyportPKI", "SallyportPracticeCluster", "SallyportPracticeDashboard", "TestSupport", "sallyport", nioCore, nioPosix,
        nioConcurrencyHelpers, crypto, logging,
      ],
      path: "Tests/SystemTests", exclude: ["Clients"],
      swiftSettings: houseRules),
  ]
)

// `SALLYPORT_TESTS=Wire,Core` builds and runs these suites alone: a change deep in the house is tried in minutes.
if let suites = Context.environment["SALLYPORT_TESTS"]?.split(separator: ",").map({ "Sallyport\($0)Tests" }) {
  package.targets.removeAll { $0.type == .test && !suites.contains($0.name) }
}

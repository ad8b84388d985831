import Foundation
import SallyportPKI
import TestSupport
import Testing

extension SystemTests {
  /// HAProxy in front of the built `sallyport`, passing TLS through and saying by the PROXY protocol whose connection it is.
  @Suite(.serialized) struct HAProxyTests {
    /// HAProxy connects from here, so that its connections differ from those of curl's.
    private static let proxy = "127.0.0.77"
    private static let client = "127.0.0.5"

    /// Starts HAProxy and waits until it has passed its first connection; ports that it listens on are its own to choose.
    private static func start(_ options: String, before served: ServedGateway) async throws -> (tool: RunningTool, port: Int) {
      let port = try freePort()
      let file = try served.directory.write(
        """
        defaults
          mode tcp
          timeout connect 30s
          timeout client 1m
          timeout server 1m
        frontend in
          bind 127.0.0.1:\(port)
          default_backend gateway
        backend gateway
          server gateway 127.0.0.1:\(served.port) source \(Self.proxy) \(options)

        """, to: "haproxy.cfg")
      return (try RunningTool("/usr/sbin/haproxy", ["-db", "-f", file]), port)
    }

    private static func get(_ served: ServedGateway, port: Int) async throws -> ToolRun {
      try await run(
        "curl",
        [
          "--silent", "--show-error", "--max-time", "60", "--interface", Self.client, "--cacert", served.file("server-ca.pem"), "--cert",
          served.file("eve.pem"), "--key", served.file("eve.key"), "--output", "/dev/null", "--write-out", "%{http_code}",
          "--retry", "20", "--retry-delay", "1", "--retry-connrefused", "https://127.0.0.1:\(port)/version",
        ])
    }

    private static func lines(_ served: ServedGateway, _ series: String) throws -> [String] {
      try String(contentsOfFile: served.file("audit/\(series).jsonl"), encoding: .utf8).split(separator: "\n").map(String.init)
    }

    @Test(arguments: ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c", "send-proxy-v2 check inter 200ms"])
    func theRecordNamesTheClientAndNotTheProxy(options: String) async throws {
      let change: ServedGateway.Change = { configuration, _ in
        configuration = configuration.replacing(
          "authentication: {clientCertificates: {}}",
          with: "  clientAddress: {proxyProtocol: true, trustedPeers: [\(Self.proxy)/32]}\nauthentication: {clientCertificates: {}}")
      }
      try await ServedGateway.with(changing: change) { served in
        let (haproxy, port) = try await Self.start(options, before: served)
        let answer = try await Self.get(served, port: port)
        #expect(answer.output == "200", "\(answer.transcript) \(haproxy.errors)")
        let direct = try await Self.get(served, port: served.port)
        #expect(direct.output == "200", "\(direct.transcript)")
        let records = try Self.lines(served, "requests").filter { $0.contains(#""requestURI":"/version""#) }
        #expect(records.count == 2)
        for record in records { #expect(record.contains(#""sourceIPs":["\#(Self.client)"]"#), "\(record)") }
        haproxy.signal(SIGKILL)
        _ = try await haproxy.result()
      }
    }

    @Test func aProxyThatSaysNothingAndOneThatIsNotListedAreRefused() async throws {
      for (listed, options, code) in [
        (Self.proxy, "", "proxyHeaderMissing"), ("192.0.2.1", "send-proxy-v2", "proxyHeaderNotAllowed"),
        ("192.0.2.1", "send-proxy", "proxyHeaderNotAllowed"),
      ] {
        let change: ServedGateway.Change = { configuration, _ in
          configuration = configuration.replacing(
            "authentication: {clientCertificates: {}}",
            with: "  clientAddress: {proxyProtocol: true, trustedPeers: [\(listed)/32]}\nauthentication: {clientCertificates: {}}")
        }
        try await ServedGateway.with(changing: change) { served in
          let (haproxy, port) = try await Self.start(options, before: served)
          let answer = try await Self.get(served, port: port)
          #expect(answer.output == "000" && answer.status != 0, "\(answer.transcript)")
          try await eventually("the refusal is recorded") {
            try Self.lines(served, "unauthenticated").contains {
              $0.contains(#""sallyport.dev/error":"\#(code)"#) && $0.contains(#""sourceIPs":["\#(Self.proxy)"]"#)
            }
          }
          haproxy.signal(SIGKILL)
          _ = try await haproxy.result()
        }
      }
    }
  }
}

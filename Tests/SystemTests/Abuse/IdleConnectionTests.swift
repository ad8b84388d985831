import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// Connections that rest: many, from several addresses, and everybody else is served.
  @Suite(.serialized) struct IdleConnectionTests {
    /// Ten thousand in a night; their handshakes alone take a minute of two cores.
    private static let count = Effort.isNightly ? 10_000 : 2000
    /// Of memory for one of them, TLS and HTTP/2 included, in bytes.
    private static let allowedEach = 160 * 1024

    private struct Report: Decodable {
      let open: Int
    }

    @Test func thousandsRestWhileOthersAreServed() async throws {
      try await ServedGateway.with { configuration, _ in
        // So long that none of them is ended for resting while the last are still on their way.
        configuration.replace(
          "clientCAFile: client-ca.pem}\n",
          with: "clientCAFile: client-ca.pem}\n  limits: {idleTimeout: 1h, handshakeTimeout: 60s, headTimeout: 60s}\n")
      } _: { served in
        _ = try await run("curl", served.throughGateway("/version"))
        let before = try served.facts()
        let clients = try RunningTool(
          Installation.python,
          [Installation.client("idle_connections.py"), "\(served.port)", served.file("server-ca.pem"), "\(Self.count)", "4"],
          environment: ["PYTHONDONTWRITEBYTECODE": "1"])
        let began = ContinuousClock.now
        _ = try await clients.wait(seconds: 420) { $0.contains("resting \(Self.count)\n") }
        let opened = ContinuousClock.now - began
        try await served.withNeighbour { try await Task.sleep(for: .seconds(2)) }
        let during = try served.facts()
        let each = (during.resident - before.resident) / Self.count
        print(
          "\(Self.count) connections at rest, opened in \(opened): gateway \(before.resident.mebibytes) before,"
            + " \(during.resident.mebibytes) with them, \(each / 1024) KiB each")
        #expect(during.descriptors >= Self.count)
        #expect(each < Self.allowedEach, "\(each)")
        let report: Report = try await ServedGateway.end(clients)
        #expect(report.open == Self.count, "none was ended to make room")
        try await eventually(seconds: 120, "the end of all of them") { try served.facts().descriptors < before.descriptors + 50 }
      }
    }

    /// Over its limit an address is refused at the door, with one line of the log a second and not one each.
    @Test func anAddressThatWantsMoreThanItsShareIsRefusedAndTheLogStaysSmall() async throws {
      try await ServedGateway.with { configuration, _ in
        configuration.replace(
          "clientCAFile: client-ca.pem}\n", with: "clientCAFile: client-ca.pem}\n  limits: {connectionsPerAddress: 50}\n")
      } _: { served in
        let clients = try served.client("connect_flood.py", "5000")
        struct Refused: Decodable {
          let refused: Int
          let seconds: Double
        }
        let report: Refused = try ServedGateway.report(try await clients.result(seconds: 240))
        #expect(report.refused >= 4900, "\(report)")
        let records = try AuditLine.read(served.file("audit/unauthenticated.jsonl"))
        #expect(records.count <= Int(report.seconds) + 2, "\(records.count) records in \(report.seconds) s")
        #expect(try await run("curl", served.throughGateway("/version")).status == 0)
      }
    }
  }
}

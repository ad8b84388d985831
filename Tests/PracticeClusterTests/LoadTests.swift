import Foundation
import NIOCore
import TestSupport
import Testing

@testable import SallyportPracticeCluster

/// A thousand watches and a list of 50 MB, with no more in memory than their clients take.
@Suite(.serialized) struct LoadTests {
  @Test func aThousandWatchesHearOfOneChange() async throws {
    try await Fixture.with { fixture in
      let context = try fixture.context(as: fixture.pki.frontProxy)
      let clients = try await withThrowingTaskGroup(of: RawClient.self) { group in
        var clients: [RawClient] = []
        for number in 0..<1000 {
          // Not all handshakes at once: the machine has two cores.
          if number >= 32, let client = try await group.next() { clients.append(client) }
          group.addTask {
            let client = try await RawClient.connect(port: fixture.cluster.port, context: context)
            try await client.send(
              "GET /api/v1/namespaces/dev/configmaps?watch=1 HTTP/1.1\r\nHost: x\r\nX-Remote-User: u\(number)\r\nX-Remote-Group: view\r\n\r\n"
            )
            _ = try await client.bytes { $0.firstRange(of: Array(#""name":"web""#.utf8)) != nil }
            return client
          }
        }
        for try await client in group { clients.append(client) }
        return clients
      }
      #expect(clients.count == 1000 && fixture.cluster.openWatches == 1000)
      try fixture.cluster.seed(#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"news","namespace":"dev"}}"#)
      for client in clients {
        let bytes = try await client.bytes { $0.firstRange(of: Array(#""name":"news""#.utf8)) != nil }
        #expect(bytes.firstRange(of: Array(#""name":"news""#.utf8)) != nil)
      }
      for client in clients { await client.close() }
      for _ in 0..<2400 where fixture.cluster.openWatches > 0 { try await Task.sleep(for: .milliseconds(25)) }
      #expect(fixture.cluster.openWatches == 0, "a watch ends with its client")
    }
  }

  @Test func aListOf50MegabytesIsSentWithoutBeingHeld() async throws {
    try await Fixture.with { fixture in
      try fixture.cluster.seedLargeList(bytes: 50_000_000)
      // A client that reads nothing: the answer must wait in the server as objects, not as bytes.
      let stalled = try await fixture.connect(as: fixture.pki.frontProxy)
      let identity = "Host: x\r\nX-Remote-User: u\r\nX-Remote-Group: view\r\n"
      try await stalled.send("GET /version HTTP/1.1\r\n\(identity)\r\n")
      let greeting = try await stalled.bytes { $0.last == UInt8(ascii: "}") }
      try await stalled.setReading(false)
      try await stalled.send("GET /api/v1/namespaces/large/configmaps HTTP/1.1\r\nConnection: close\r\n\(identity)\r\n")
      for _ in 0..<2400 where fixture.cluster.connections.streamedBytes == 0 { try await Task.sleep(for: .milliseconds(25)) }
      // What would be made in spite of the client gets a while to be made.
      try await Task.sleep(for: .milliseconds(500))
      let made = fixture.cluster.connections.streamedBytes
      #expect(made > 0 && made < 8_000_000, "more than the sockets' buffers hold was made for a client that does not read")
      try await stalled.setReading(true)
      let bytes = try await stalled.bytes(within: .minutes(4))
      #expect(bytes.count > 50_000_000)
      let response = RawResponse(Array(bytes.dropFirst(greeting.count)))
      #expect(response.status == 200 && response.header("transfer-encoding") == "chunked")
      #expect(response.body.suffix(2) == Array("]}".utf8))
      await stalled.close()
    }
  }
}

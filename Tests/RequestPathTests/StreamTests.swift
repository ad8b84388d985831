import Foundation
import NIOCore
import SallyportPracticeCluster
import TestSupport
import Testing

/// Answers that go on: each part passes at once, whoever goes away is missed, and nobody's slowness becomes our memory.
@Suite(.serialized, .timeLimit(.minutes(5))) struct StreamTests {
  private static let configMap = #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"NAME","namespace":"dev"},"data":{"a":"b"}}"#

  @Test func eachEventOfAWatchArrivesWhenItHappens() async throws {
    try await House.with { house in
      let client = try await house.connect(as: house.certificate("alice", "view"))
      try await client.send("GET /api/v1/namespaces/dev/configmaps?watch=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
      let answer = Answer(head: try await client.read(until: "\r\n\r\n"))
      #expect(answer.status == 200)
      #expect(try await client.chunk()?.contains(#""type":"ADDED""#) == true)
      for name in ["first", "second"] {
        try house.cluster?.seed(Self.configMap.replacingOccurrences(of: "NAME", with: name))
        #expect(try await client.read(until: name).contains("ADDED"))
        _ = try await client.read(until: "}\n")
      }
      #expect(try house.records(of: answer).map(\.stage) == ["RequestReceived", "ResponseStarted"])
      #expect(house.cluster?.openWatches == 1)
      await client.close()
    }
  }

  @Test func aChunkPassesWithoutTheNext() async throws {
    try await House.with(script: { moment, peer in
      if case .end = moment { peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") }
    }) { house, upstream in
      let client = try await house.connect(as: house.certificate("alice"))
      try await client.send("GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n")
      let answer = Answer(head: try await client.read(until: "\r\n\r\n"))
      for number in 1...5 {
        // Nothing else is sent before the client has this.
        upstream.peer(1)?.send("6\r\npart \(number)\r\n")
        #expect(try await client.chunk() == "part \(number)")
      }
      upstream.peer(1)?.send("0\r\n\r\n")
      #expect(try await client.chunk() == nil)
      #expect(try await client.read(until: "\r\n") == "\r\n")
      let records = try house.records(of: answer)
      #expect(records.map(\.stage) == ["ResponseStarted", "ResponseComplete"])
      #expect(records.last?.fact("bytes-out") == "30")
    }
  }

  enum Leaving: CaseIterable { case inOrder, cut }

  @Test(arguments: Leaving.allCases) func aWatchEndsUpstreamWhenItsClientIsGone(_ leaving: Leaving) async throws {
    try await House.with { house in
      let client = try await house.connect(as: house.certificate("alice", "view"))
      try await client.send("GET /api/v1/pods?watch=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
      let answer = Answer(head: try await client.read(until: "\r\n\r\n"))
      _ = try await client.chunk()
      try await eventually("the watch") { house.cluster?.openWatches == 1 }
      switch leaving {
      case .inOrder: await client.close()
      case .cut: try await client.cut()
      }
      try await eventually("the end of the watch") { house.cluster?.openWatches == 0 }
      let record = try await house.record("the watch") { $0.auditID == answer.auditID && $0.stage == "ResponseComplete" }
      #expect(record.verb == "watch")
      #expect(record.responseStatus?.code == 200)
      #expect(record.error.hasPrefix("clientGone"))
      #expect((Int(record.fact("bytes-out") ?? "") ?? 0) > 0)
    }
  }

  /// Also one that has not been answered yet.
  @Test func aRequestEndsUpstreamWhenItsClientIsGone() async throws {
    try await House.with(script: { _, _ in }) { house, upstream in
      let client = try await house.connect(as: house.certificate("alice"))
      try await client.send("GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n")
      try await eventually("the request upstream") { upstream.requests.count == 1 }
      await client.close()
      try await eventually("its end") { upstream.openConnections == 0 }
      let record = try await house.record("the request") { $0.stage == "ResponseComplete" }
      #expect(record.responseStatus?.code == 499)
    }
  }

  @Test func aLogIsFollowed() async throws {
    try await House.with { house in
      let client = try await house.connect(as: house.certificate("alice", "view"))
      try await client.send("GET /api/v1/namespaces/dev/pods/web-0/log?follow=true&tailLines=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
      let answer = Answer(head: try await client.read(until: "\r\n\r\n"))
      #expect(answer.status == 200)
      for number in 9...13 { _ = try await client.read(until: "served request \(number)\n") }
      let records = try house.records(of: answer)
      #expect(records.map(\.stage) == ["RequestReceived", "ResponseStarted"])
      #expect(records.first?.objectRef?["subresource"] == "log")
      await client.close()
    }
  }

  // MARK: Back-pressure

  /// A client that stops reading stops the upstream, and what is on the way stays small, however long the answer is.
  @Test func aSlowReaderPausesTheUpstreamAndCostsNoMemory() async throws {
    let sent = Observed(0)
    let part = String(repeating: "x", count: 64 * 1024)
    try await House.with(script: { moment, peer in
      guard case .end = moment else { return }
      peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
      @Sendable func sendMore() {
        peer.send("10000\r\n\(part)\r\n") {
          sent.update { $0 += part.utf8.count }
          sendMore()
        }
      }
      sendMore()
    }) { house, upstream in
      let client = try await house.connect(as: house.certificate("alice"), receiveBuffer: 4096)
      try await client.send("GET /api/v1/namespaces/dev/configmaps HTTP/1.1\r\nHost: localhost\r\n\r\n")
      _ = try await client.read(until: "\r\n\r\n")
      try await client.setReading(false)
      let before = try Self.residentBytes()
      try await eventually("the upstream's pause", within: 60) {
        let now = sent.value
        try await Task.sleep(for: .milliseconds(500))
        return sent.value == now
      }
      // What is on the way lies in four sockets' buffers and in the two sides' write buffers.
      let onTheWay = sent.value
      #expect(onTheWay < 48 * 1024 * 1024, "\(onTheWay) bytes were taken from the upstream for a client that does not read")
      let growth = try Self.residentBytes() - before
      #expect(growth < 96 * 1024 * 1024, "the process grew by \(growth) bytes")
      // Nothing was lost: reading on brings more than was on the way.
      try await client.setReading(true)
      try await eventually("more of the answer", within: 60) { sent.value > onTheWay + 1024 * 1024 }
      await client.close()
      try await eventually("the end of the upstream's connection") { upstream.openConnections == 0 }
    }
  }

  private static func residentBytes() throws -> Int {
    let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
    return (Int(pages[1]) ?? 0) * 4096
  }
}

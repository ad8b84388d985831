import Foundation
import NIOCore
import SallyportPracticeCluster
import TestSupport
import Testing

/// Replays what was recorded of a real API server through the whole gateway, with the practice cluster behind it.
@Suite(.serialized, .timeLimit(.minutes(10))) struct RecordedPathsTests {
  /// Every request is either refused for being ambiguous, or answered, recorded and passed on as the real server's record
  /// has it: the same class of status, the same verb and object in the audit log, the same bytes of the target upstream.
  @Test func everyRecordedRequestIsReadAsTheServerReadItOrRefused() async throws {
    guard let cases = try RecordedCase.load() else {
      print("no folder ../shared/kubernetes: the recorded requests are not replayed")
      return
    }
    var plan = House.Plan()
    plan.authentication = ["allowSystemNames: {groups: [\"system:masters\"]}"]
    // The server's own limit.
    plan.listener = ["limits: {headBytes: 1MiB}"]
    try await House.with(plan) { house in
      let root = try house.certificate("root", "system:masters")
      var refused: [String: [RecordedCase]] = [:]
      var compared = 0
      for recorded in cases where !recorded.isHTTP2 {
        try house.plantRecordedObjects()
        let replayed = try await self.replay(recorded, on: house, as: root)
        if let reason = replayed.refusal {
          refused[reason, default: []].append(recorded)
          #expect(!self.isCanonical(recorded), "\(recorded) is what kubectl sends, and was refused: \(reason)")
          continue
        }
        try self.expectSameReading(recorded, replayed)
        guard recorded.reasonOutOfScope == nil else { continue }
        compared += 1
        let isFromCodec = replayed.status == 400 && !replayed.isFromCluster
        #expect(
          isFromCodec ? recorded.status >= 400 : replayed.status == recorded.status,
          "\(recorded): \(replayed.status), was \(recorded.status)")
        #expect(replayed.showsSecret == recorded.leaksSecret, "\(recorded): \(replayed.status)")
      }
      for (reason, cases) in refused.sorted(by: { $0.key < $1.key }) {
        print("refused \(cases.count): \(reason)")
        for recorded in cases { print("  \(recorded.status) \(recorded)") }
      }
      print("compared with the record: \(compared); refused: \(refused.values.reduce(0) { $0 + $1.count })")
      #expect(refused.mapValues(\.count) == Self.expectedRefusals)
    }
  }

  /// A target of the absolute form is understood where `Host` agrees with it, whatever its scheme, and goes upstream
  /// without its authority.
  @Test func absoluteTargetsAreUnderstoodWhereHostAgrees() async throws {
    guard let cases = try RecordedCase.load() else { return }
    try await House.with { house in
      let root = try house.certificate("ed", "edit")
      for recorded in cases.filter({ $0.category == "absolute" && $0.status == 200 && !$0.isHTTP2 }) {
        try house.plantRecordedObjects()
        let replayed = try await self.replay(recorded, host: recorded.authority, on: house, as: root)
        #expect(replayed.refusal == nil, "\(recorded)")
        #expect(replayed.status == 200 && replayed.showsSecret, "\(recorded): \(replayed.status)")
        try self.expectSameReading(recorded, replayed)
      }
    }
  }

  /// Whoever may read everything but secrets gets none by any spelling.
  @Test func aViewerGetsASecretByNoneOfThem() async throws {
    guard let cases = try RecordedCase.load() else { return }
    try await House.with { house in
      let alice = try house.certificate("alice", "view")
      for recorded in cases where !recorded.isHTTP2 {
        try house.plantRecordedObjects()
        let replayed = try await self.replay(recorded, on: house, as: alice, forAViewer: true)
        #expect(!replayed.showsSecret, "\(recorded): \(replayed.status)")
      }
      #expect(try house.records().allSatisfy { $0.user.username ?? "alice" == "alice" })
    }
  }

  // MARK: One request

  private struct Replayed {
    let status: Int
    /// What NIOHTTP1 refuses before the practice cluster sees it is always 400, whatever a real server says.
    let isFromCluster: Bool
    let showsSecret: Bool
    let record: AuditLine
    /// The target as the practice cluster got it; `nil` where it got none.
    let forwarded: String?

    /// Why the gateway refused the request before anybody else saw it.
    var refusal: String? {
      self.record.fact("upstream") == nil
        ? self.record.error.replacingOccurrences(of: "malformedRequest: The request is refused. ", with: "") : nil
    }
  }

  private func replay(
    _ recorded: RecordedCase, host: String? = nil, on house: House, as certificate: TestCertificate, forAViewer: Bool = false
  ) async throws -> Replayed {
    let client = try await house.connect(as: certificate)
    house.cluster?.clearRecordedRequests()
    try? await client.send(ByteBuffer(bytes: recorded.message(host: host)))
    var bytes = try await client.read(until: "\r\n\r\n")
    let answer = Answer(head: bytes)
    let isStream = recorded.staysOpen || recorded.status == 101
    if isStream, recorded.leaksSecret, answer.status == 200, !forAViewer {
      bytes += try await client.read(until: "TEVBS01BUks")
    } else if isStream, answer.status == 200 {
      // What must not come gets a moment to come.
      do { bytes += try await client.readToEnd(timeout: .milliseconds(200)) } catch let error as RawTLSClient.Timeout {
        bytes += error.received
      }
    } else {
      // Who says by itself what becomes of the connection may leave it open.
      let mayStayOpen = recorded.fields.contains { $0.name == "Connection" }
      do { bytes += try await client.readToEnd(timeout: mayStayOpen ? .seconds(5) : .minutes(1)) } catch let error as RawTLSClient.Timeout {
        bytes += error.received
      }
    }
    await client.close()
    let records = try house.records(of: answer)
    return Replayed(
      status: answer.status, isFromCluster: !answer.values("Server").isEmpty, showsSecret: RecordedCase.showsSecret(bytes),
      record: try #require(records.first),
      forwarded: house.cluster?.recordedRequests().first { $0.auditID == answer.auditID }?.requestURI)
  }

  private func expectSameReading(_ recorded: RecordedCase, _ replayed: Replayed) throws {
    // Of what NIOHTTP1 cannot read, the practice cluster has no record.
    if replayed.isFromCluster { #expect(replayed.forwarded == recorded.originForm, "\(recorded)") }
    guard let reading = recorded.reading else { return }
    let object = replayed.record.objectRef ?? [:]
    let read = RecordedCase.Reading(
      // A method that the API server has no verb for is recorded as itself.
      verb: reading.verb.isEmpty && replayed.record.verb == recorded.method.lowercased() ? "" : replayed.record.verb,
      apiGroup: object["apiGroup"] ?? "", apiVersion: object["apiVersion"] ?? "", resource: object["resource"] ?? "",
      subresource: object["subresource"] ?? "", namespace: object["namespace"] ?? "", name: object["name"] ?? "")
    #expect(read == reading, "\(recorded)")
  }

  /// What kubectl and client-go send: HTTP/1.1, a known method, full segments of plain bytes, perhaps a slash at the end.
  private func isCanonical(_ recorded: RecordedCase) -> Bool {
    let text = recorded.targetText
    guard recorded.version == "HTTP/1.1", recorded.host != nil, recorded.status != 431, recorded.category != "hdr",
      recorded.category != "proto"
    else {
      return false
    }
    guard ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(recorded.method), text.hasPrefix("/"), !text.contains("#"),
      text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else { return false }
    var path = text.prefix { $0 != "?" }.dropFirst()
    if path.hasSuffix("/") { path = path.dropLast() }
    return path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { segment in
      !(segment.isEmpty && !path.isEmpty) && segment != "." && segment != ".." && !segment.contains { "%\\".contains($0) }
    }
  }

  /// Why, and how many of the 425 requests that were not sent over HTTP/2.
  private static let expectedRefusals: [String: Int] = [
    "A control character stands in the request line.": 2,
    "A percent sign in the path is not followed by two hexadecimal digits; write it %25.": 2,
    "A request of HTTP/1.1 has no Host.": 1,
    "CONNECT goes with host:port, and only CONNECT does.": 1,
    "Host and the authority of the target differ.": 5,
    "Host stands twice.": 1,
    "The head or trailer section is longer than this server reads.": 1,
    "The path begins with two slashes, behind which some servers read a host name; begin it with one.": 8,
    "The path holds a backslash, which some servers take for a slash; separate segments by /.": 2,
    "The path holds a segment . or .., which servers read in two ways; send the path that you mean.": 20,
    "The path holds an encoded control character; no name has one, so leave it out.": 3,
    "The path is not UTF-8, so that servers may read other characters into it; encode names as UTF-8.": 5,
    "The request line has no target.": 1,
    "The request target * goes with OPTIONS alone.": 1,
    "The request target does not begin with a slash, nor is it a URL with a path.": 4,
    "The request target holds a #, which servers read in two ways; leave the fragment out, or write %23 for a # in a name.": 2,
    "The version is not one of HTTP.": 2,
    "The version of HTTP is neither 1.0 nor 1.1.": 3,
    "Transfer-Encoding is something other than chunked.": 1,
    "Two slashes stand side by side in the path, which some servers merge; write one.": 6,
  ]
}

extension House {
  fileprivate func plantRecordedObjects() throws {
    for object in RecordedCase.objects { try self.cluster?.seed(object) }
  }
}

extension RecordedCase {
  /// The authority of a target of the absolute form.
  fileprivate var authority: String? {
    guard let slashes = self.targetText.range(of: "://") else { return nil }
    return self.targetText[slashes.upperBound...].prefix { $0 != "/" && $0 != "?" }.split(separator: "@").last.map(String.init)
  }

  /// The target as it goes upstream.
  fileprivate var originForm: String {
    let text = self.targetText
    guard !text.hasPrefix("/"), text != "*" else { return text }
    guard let slashes = text.range(of: "://") else { return text.firstIndex(of: "/").map { String(text[$0...]) } ?? text }
    let rest = text[slashes.upperBound...].drop { $0 != "/" && $0 != "?" }
    return rest.hasPrefix("/") ? String(rest) : "/\(rest)"
  }
}

import Foundation
import NIOCore
@_spi(Authenticator) import SallyportCore
import SallyportPolicy
import SallyportWire
import Testing

/// What a real API server answered, with the secret's content or without, against what the shipped policy says.
@Suite struct RecordedRequestsTests {
  struct Recorded: Sendable {
    let line: Int
    let method: SallyportWire.Method
    let target: [UInt8]
    let headers: [(String, String)]
    let leaksSecret: Bool
    /// Whether the server's own log, or the bare text of the target, has anything of secrets.
    let isAboutSecrets: Bool
  }

  static let file = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../shared/kubernetes/request-paths.jsonl").standardizedFileURL

  /// Empty where the record is not beside the repository, which must not be so in CI.
  static func recorded() throws -> [Recorded] {
    guard let text = try? String(contentsOf: self.file, encoding: .utf8) else {
      #expect(ProcessInfo.processInfo.environment["CI"] != "true", "\(self.file.path) must be there when CI=true")
      print("request-paths.jsonl is not beside the repository: the record is not tested")
      return []
    }
    return try text.split(separator: "\n").enumerated().flatMap { number, line in
      let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      let written = try #require(object["raw_target"] as? String)
      // The record writes a target's bytes as the characters U+0000 to U+00FF, and long ones cut.
      let cut = written.range(of: "...(").map { written[..<$0.lowerBound] } ?? written[...]
      let audit = object["audit"] as? [String: Any]
      // HTTP/2's pseudo-header fields became the request line, which is read elsewhere.
      let headers = (object["headers"] as? [[Any]] ?? []).compactMap { pair -> (String, String)? in
        guard pair.count == 2, let name = pair[0] as? String, !name.hasPrefix(":"), let value = pair[1] as? String else { return nil }
        return (name, value)
      }
      let target = cut.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
      let decoded = String(decoding: target, as: UTF8.self).removingPercentEncoding ?? String(decoding: target, as: UTF8.self)
      let leaks = try #require(object["leaks_secret"] as? Bool)
      let pipelined = (object["opts"] as? [String: Any])?["pipeline"] as? String
      let first = Recorded(
        line: number + 1, method: Method(object["method"] as? String ?? ""), target: target, headers: headers,
        leaksSecret: leaks && pipelined == nil,
        isAboutSecrets: audit?["resource"] as? String == "secrets" || decoded.lowercased().contains("secret"))
      // A second request behind the first on the same connection is a request of its own.
      guard let pipelined else { return [first] }
      let second = Recorded(
        line: number + 1, method: .get, target: Array(pipelined.utf8), headers: [], leaksSecret: leaks, isAboutSecrets: true)
      return [first, second]
    }
  }

  enum Verdict { case allowed, denied, refused }

  /// The way that a request takes through the gateway as far as policy: read, stripped, judged.
  static func verdict(on recorded: Recorded, of user: String, in groups: [String], by policy: AccessPolicy) throws -> Verdict {
    var fields = HeaderFields()
    for (name, value) in recorded.headers {
      // A field that cannot be written cannot arrive either.
      do { try fields.append(name, value) } catch { return .refused }
    }
    guard let target = try? RequestTarget(reading: ByteBuffer(bytes: recorded.target), for: recorded.method) else { return .refused }
    let head = RequestHead(method: recorded.method, target: target, fields: fields)
    guard let stripped = try? StrippedRequest(stripping: head, fromTrustedPeer: false),
      let reading = try? RequestReading(stripped, as: .kubernetes)
    else { return .refused }
    let identity = Identity(username: user, groups: groups, method: .clientCertificate)
    let request = AuthenticatedRequest(stripped, reading: reading, subject: .identity(identity))
    switch policy.decide(request, from: ClientAddress(ip: "192.0.2.7", port: 4711)) {
    case .allow: return .allowed
    case .deny: return .denied
    }
  }

  static func policy(_ names: [String], catalogue: Catalogue? = nil) throws -> AccessPolicy {
    AccessPolicy(
      rules: PolicyMatcher(try names.map(ShippedPoliciesTests.load), catalogue: catalogue, reading: .kubernetes))
  }

  @Test func noRequestThatLeaksASecretIsAllowed() throws {
    let policy = try Self.policy(["secrets-are-private"])
    let recorded = try Self.recorded()
    guard !recorded.isEmpty else { return }
    #expect(Set(recorded.map(\.line)).count == 466)
    let leaking = recorded.filter(\.leaksSecret)
    #expect(leaking.count == 185)
    var denied = 0
    for request in leaking {
      let verdict = try Self.verdict(on: request, of: "alice", in: ["developers"], by: policy)
      #expect(verdict != .allowed, "line \(request.line): \(String(decoding: request.target, as: UTF8.self))")
      if verdict == .denied { denied += 1 }
    }
    print("secrets-are-private: of \(leaking.count) requests that leak, \(denied) are denied and the rest answered 400")
    // The one other has a raw blank in it, which only HTTP/2 can carry.
    #expect(denied == 184)
  }

  @Test func whatIsNotAboutSecretsIsNotDenied() throws {
    let policy = try Self.policy(["secrets-are-private"])
    let others = try Self.recorded().filter { !$0.isAboutSecrets }
    guard !others.isEmpty else { return }
    print("secrets-are-private: \(others.count) recorded requests are not about secrets")
    #expect(others.count == 85)
    for request in others {
      let verdict = try Self.verdict(on: request, of: "alice", in: ["developers"], by: policy)
      // A page of another site is denied before any rule, whatever it asks for.
      guard !request.headers.contains(where: { $0.0.lowercased() == "origin" }) else { continue }
      #expect(verdict != .denied, "line \(request.line): \(request.method) \(String(decoding: request.target, as: UTF8.self))")
    }
  }

  @Test func theExemptGroupReadsThem() throws {
    let policy = try Self.policy(["secrets-are-private"])
    for request in try Self.recorded() where request.leaksSecret {
      guard !request.headers.contains(where: { $0.0.lowercased() == "origin" }) else { continue }
      #expect(try Self.verdict(on: request, of: "sue", in: ["security"], by: policy) != .denied, "line \(request.line)")
    }
  }
}

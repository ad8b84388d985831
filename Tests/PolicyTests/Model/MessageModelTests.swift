import Foundation
import NIOCore
@_spi(Authenticator) import SallyportCore
import SallyportPolicy
import SallyportWire
import Testing

/// The way from bytes to a decision against the plain models of it, with mutated targets, queries, header fields and bodies.
@Suite struct MessageModelTests {
  /// What the gateway makes of the first request in some bytes; `nil` where it answers 400.
  struct Heard {
    let request: AuthenticatedRequest
    /// How many requests began in the bytes, and what the first one's body was.
    var heads = 1
    var body: [UInt8] = []
    var isWhole = false

    init?(_ pieces: [[UInt8]], _ identity: Identity) {
      var reader = HTTP1RequestReader(limits: MessageLimits())
      var first: RequestHead?
      var heads = 0
      do {
        for piece in pieces {
          reader.receive(ByteBuffer(bytes: piece))
          while let event = try reader.next() {
            switch event {
            case .head(let head):
              heads += 1
              if first == nil { first = head }
            case .body(let bytes): if heads == 1 { self.body += Array(bytes.readableBytesView) }
            case .end: if heads == 1 { self.isWhole = true }
            }
          }
        }
      } catch {
        // What is broken behind a good head breaks the connection, and the head was judged by then.
        if first == nil { return nil }
      }
      guard let head = first, head.method != .connect, head.method != .trace,
        let stripped = try? StrippedRequest(stripping: head, fromTrustedPeer: false),
        let reading = try? RequestReading(stripped, as: .kubernetes)
      else { return nil }
      self.heads = heads
      self.request = AuthenticatedRequest(stripped, reading: reading, subject: .identity(identity))
    }
  }

  @Test func noMessageIsJudgedOtherwiseThanByTheModels() throws {
    var messages = RandomMessages(seed: 0x5A11_9043)
    var judged = 0
    var counts: [String: Int] = [:]
    while judged < ModelTests.cases {
      let rules = messages.cases.rules()
      let policy = AccessPolicy(
        rules: PolicyMatcher(
          [try PolicyDocument.load(yaml: rules.yaml, fileName: "model.yaml")], catalogue: ModelTests.catalogue, reading: .kubernetes))
      for _ in 0..<50 {
        judged += 1
        let message = messages.message()
        let person = messages.cases.person()
        let identity = Identity(username: person.user, groups: person.groups, method: .clientCertificate)
        guard let heard = Heard(messages.pieces(of: message.bytes), identity) else {
          counts["refused", default: 0] += 1
          continue
        }
        let spelled = String(decoding: message.bytes, as: UTF8.self).debugDescription
        guard let model = MessageModel(message.bytes) else {
          Issue.record("the gateway reads what the model cannot: \(spelled)")
          return
        }
        // Nothing in a message that is framed well is taken for another one.
        if !message.isMutated { #expect(heard.heads == 1 && heard.isWhole, "\(spelled)") }
        let expected = rules.denial(
          of: .init(
            server: model.server, person: person.authenticated, requested: model.requested?.authenticated,
            authentication: "clientCertificate", address: "10.1.2.3"))
        let decision = ModelTests.summary(policy.decide(heard.request, from: ClientAddress(ip: "10.1.2.3", port: 1)))
        counts[expected == nil ? "allowed" : expected!.hasPrefix("r") ? "denied" : expected!, default: 0] += 1
        if model.server.upgrades { counts["upgrades", default: 0] += 1 }
        if model.requested != nil { counts["impersonates", default: 0] += 1 }
        guard decision != expected else { continue }
        Issue.record(
          "divergence: the engine says \(decision ?? "allow"), the model \(expected ?? "allow")\n\(spelled)\n\(person)\n\(rules.yaml)")
        return
      }
    }
    print("messages: \(counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))")
    for sort in ["allowed", "denied", "default", "unknown", "upgrades", "impersonates"] {
      #expect(counts[sort, default: 0] > ModelTests.cases / 200, "\(sort)")
    }
    #expect(counts["refused", default: 0] < judged / 2)
  }
}

extension RuleModel.Person {
  /// With the group that the API server adds.
  var authenticated: RuleModel.Person { .init(user: self.user, groups: self.groups + ["system:authenticated"]) }
}

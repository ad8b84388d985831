import SallyportWire
import TestSupport
import Testing

/// The plain models against what a real API server recorded: a misreading that engine and model share would show here.
@Suite struct RecordedModelTests {
  @Test func theModelReadsAsTheServerDid() throws {
    guard let record = try RecordedCase.load() else { return }
    var compared = 0
    for recorded in record {
      guard let reading = recorded.reading, let model = ServerModel(recorded.method, recorded.targetText) else { continue }
      compared += 1
      #expect(
        RecordedCase.Reading(
          verb: model.verb, apiGroup: model.group, apiVersion: model.version, resource: model.resource, subresource: model.subresource,
          namespace: model.namespace, name: model.name) == reading, "\(recorded)")
    }
    print("the plain model: \(compared) recorded readings of \(record.count) compared")
    #expect(compared > 350)
  }

  /// `policies/secrets-are-private.yaml`, written down once more.
  static let secretsArePrivate = RuleModel(
    rules: [
      .init(
        name: "r", denies: true,
        selectors: [
          .init(
            subject: .resources(["secrets", "secrets/*"]),
            verbs: ["get", "list", "watch", "patch", "delete", "deletecollection", "proxy"])
        ], unless: .init(groups: ["security"]))
    ], deniesByDefault: false, catalogue: [])

  @Test func theModelDeniesWhatLeakedAndNothingElse() throws {
    guard let record = try RecordedCase.load() else { return }
    var denied = 0
    var others = 0
    for recorded in record {
      guard let server = ServerModel(recorded.method, recorded.targetText) else { continue }
      let request = RuleModel.Request(server: server, person: .init(user: "alice", groups: []), authentication: nil, address: "")
      let isDenied = Self.secretsArePrivate.denial(of: request) != nil
      if recorded.leaksSecret, recorded.pipelined == nil {
        #expect(isDenied, "\(recorded)")
        denied += 1
      } else if let reading = recorded.reading, reading.resource != "secrets" {
        #expect(!isDenied, "\(recorded)")
        others += 1
      }
    }
    print("the plain model: \(denied) recorded leaks denied, \(others) readings of something else allowed")
    #expect(denied > 180 && others > 80)
  }
}

import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// The promise of the audit log: no answer without its record, whatever becomes of the process.
  @Suite(.serialized) struct KillUnderLoadTests {
    /// Kills for each durability: `SALLYPORT_KILLS`, 500 at night.
    private static let rounds =
      ProcessInfo.processInfo.environment["SALLYPORT_KILLS"].flatMap { Int($0) } ?? (Effort.isNightly ? 500 : 25)

    private func answers(_ output: String) -> [(status: String, auditID: String)] {
      // The last line may be half written.
      output.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { line in
        let words = line.split(separator: " ")
        return (String(words[0]), String(words[1]))
      }
    }

    private static let roundsOfALoad = 20

    private func load(on served: ServedGateway) throws -> RunningTool {
      try RunningTool(
        Installation.python,
        [
          Installation.client("steady_load.py"), "\(served.port)", served.file("server-ca.pem"), served.file("eve.pem"),
          served.file("eve.key"), "6", "1200", served.file("victim"),
        ])
    }

    @Test(arguments: ["written", "synced"]) func whatWasAnsweredIsInTheLogAfterManyKills(_ durability: String) async throws {
      try await ServedGateway.with { configuration, _ in
        configuration.replace("audit: {directory: audit}", with: "audit: {directory: audit, durability: \(durability)}")
      } _: { served in
        let audit = served.file("audit/requests.jsonl")
        var load = try self.load(on: served)
        var torn = 0
        var answered = 0
        var answers: [(status: String, auditID: String)] = []
        for round in 1...Self.rounds {
          if round % Self.roundsOfALoad == 0 {
            // What it printed is read again and again, so it must not be long.
            load.signal(SIGKILL)
            answers += self.answers(try await load.result().output)
            load = try self.load(on: served)
            answered = 0
          }
          // Not before the load has got through, and then at any moment.
          _ = try await load.wait { self.answers($0).count >= answered + 12 }
          try await Task.sleep(for: .milliseconds(Int.random(in: 0...150)))
          // The load kills, the moment that it has an answer. The file appears at once and whole.
          try served.directory.write("\(served.process.pid)", to: "next-victim")
          try FileManager.default.moveItem(atPath: served.file("next-victim"), toPath: served.file("victim"))
          #expect(try await served.process.result().status == 128 + SIGKILL)
          answered = self.answers(load.output).count
          if round % 10 == 0 {
            // A kill almost never falls into the one write(2) of a batch; what it would leave then is put there by hand.
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: audit))
            try file.seekToEnd()
            try file.write(contentsOf: Data(#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metada"#.utf8))
            torn += 1
          }
          try await served.restart()
        }
        load.signal(SIGKILL)
        answers += self.answers(try await load.result().output)
        served.process.signal(SIGTERM)
        #expect(try await served.process.result().status == 0)

        let statuses = Dictionary(grouping: answers, by: \.status).mapValues(\.count)
        // Some are 502 or 503 while the upstream's connections are new; a log with nothing but refusals would prove little.
        #expect((statuses["200"] ?? 0) > Self.rounds * 5 && (statuses["201"] ?? 0) > Self.rounds / 2, "\(statuses)")
        let records = try AuditLine.read(audit)
        let completed = Dictionary(grouping: records.filter { $0.stage == "ResponseComplete" }, by: \.auditID)
        let missing = answers.filter { completed[$0.auditID] == nil }
        #expect(missing.isEmpty, "\(missing.count) of \(answers.count) answers have no record, among them \(missing.prefix(3))")
        let different = answers.filter { answer in
          completed[answer.auditID].map { $0.map { "\($0.responseStatus?.code ?? 0)" } != [answer.status] } ?? false
        }
        #expect(different.isEmpty, "a record says what the client read, once: \(different.prefix(3))")
        let received = Set(records.filter { $0.stage == "RequestReceived" }.map(\.auditID))
        #expect(answers.filter { $0.status == "201" }.allSatisfy { received.contains($0.auditID) })
        let verify = try await sallyport("audit", "verify", served.file("audit"))
        #expect(verify.status == 0, "\(verify.transcript)")
        let setAside = try FileManager.default.contentsOfDirectory(atPath: served.file("audit")).filter { $0.contains(".torn-") }
        #expect(setAside.count >= torn, "\(setAside)")
        print(
          "\(Self.rounds) kills, \(durability): \(answers.count) answers \(statuses), \(records.count) records, \(setAside.count) torn lines set aside"
        )
      }
    }
  }
}

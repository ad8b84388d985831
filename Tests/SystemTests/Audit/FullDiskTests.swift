import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// A disk that is full: no answer without its record, and service again as soon as there is room, without a restart.
  @Suite(.serialized) struct FullDiskTests {
    /// What takes the room away, and gives it back.
    private struct SmallDisk {
      let take: () async throws -> Void
      let give: () async throws -> Void
      let end: () async throws -> Void
    }

    /// A tmpfs of 2 MiB in place of the audit directory. Where this process may not mount, the kernel refuses the gateway's
    /// writes behind a limit for the size of its files, which ends them in the same place.
    private func disk(of served: ServedGateway) async throws -> SmallDisk {
      let directory = served.file("audit")
      served.process.signal(SIGTERM)
      #expect(try await served.process.result().status == 0)
      let mount = try await run("mount", ["-t", "tmpfs", "-o", "size=2m,mode=0750", "tmpfs", directory])
      if mount.status == 0 {
        // A file of its own fills what the log does not need to begin.
        try Data(count: 1_400_000).write(to: URL(fileURLWithPath: directory + "/filler"))
        try await served.restart()
        return SmallDisk(
          take: {}, give: { try FileManager.default.removeItem(atPath: directory + "/filler") },
          end: { _ = try await run("umount", ["--lazy", directory]) })
      }
      try await served.restart()
      let size = try FileManager.default.attributesOfItem(atPath: directory + "/requests.jsonl")[.size] as? Int ?? 0
      let pid = "\(served.process.pid)"
      return SmallDisk(
        take: { _ = try await run("prlimit", ["--pid", pid, "--fsize=\(size + 200_000):unlimited"]) },
        give: { _ = try await run("prlimit", ["--pid", pid, "--fsize=unlimited:unlimited"]) }, end: {})
    }

    private func answers(_ output: String) -> [(status: String, auditID: String)] {
      output.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { line in
        let words = line.split(separator: " ")
        return (String(words[0]), String(words[1]))
      }
    }

    @Test func aFullDiskRefusesAndRecoversAndLosesNothing() async throws {
      try await ServedGateway.with { served in
        let disk = try await self.disk(of: served)
        do {
          let load = try RunningTool(
            Installation.python,
            [
              Installation.client("steady_load.py"), "\(served.port)", served.file("server-ca.pem"), served.file("eve.pem"),
              served.file("eve.key"), "4", "300", served.file("victim"),
            ])
          _ = try await load.wait { self.answers($0).contains { $0.status == "200" } }
          try await disk.take()
          _ = try await load.wait { self.answers($0).count { $0.status == "503" } >= 20 }
          let refused = self.answers(load.output).count
          try await disk.give()
          // Served again, by the same process.
          _ = try await load.wait { self.answers($0).dropFirst(refused).count { $0.status == "200" } >= 50 }
          load.signal(SIGKILL)
          _ = try await load.result()
          served.process.signal(SIGTERM)
          #expect(try await served.process.result().status == 0)

          let answers = self.answers(load.output)
          let completed = Set(
            try AuditLine.read(served.file("audit/requests.jsonl")).filter { $0.stage == "ResponseComplete" }.map(\.auditID))
          let served503 = answers.count { $0.status == "503" }
          let missing = answers.filter { $0.status != "503" && !completed.contains($0.auditID) }
          #expect(missing.isEmpty, "\(missing.count) of \(answers.count) answers have no record, among them \(missing.prefix(3))")
          let verify = try await sallyport("audit", "verify", served.file("audit"))
          #expect(verify.status == 0, "\(verify.transcript)")
          print("full disk: \(answers.count) answers, \(served503) of them 503, \(completed.count) records")
        } catch {
          try await disk.end()
          throw error
        }
        try await disk.end()
      }
    }
  }
}

import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// The commands that read the log, on a log that the demo wrote.
  @Suite(.serialized, .demo) struct AuditCommandTests {
    private var demo: DemoProcess { get throws { try #require(DemoProcess.current) } }
    private var directory: String { get throws { try self.demo.file("audit") } }

    private func traffic() async throws {
      let demo = try self.demo
      for person in [DemoProcess.Person.alice, .bob, .carol, .nobody] {
        _ = try await demo.curl(as: person, demo.url + "/api/v1/namespaces/dev/pods")
        _ = try await demo.curl(as: person, demo.url + "/api/v1/namespaces/dev/secrets")
      }
      _ = try await demo.curl(as: .carol, "-H", "Impersonate-User: alice", demo.url + "/api/v1/namespaces/dev/pods")
      _ = try await demo.curl(as: .bob, "-X", "DELETE", demo.url + "/api/v1/namespaces/dev/configmaps/none")
    }

    @Test func aReviewerShowsSumsAndVerifies() async throws {
      try await self.traffic()
      let directory = try self.directory
      let shown = try await sallyport("audit", "show", directory, "--user", "carol", "--output", "json")
      #expect(shown.status == 0 && shown.output.split(separator: "\n").count >= 3, "\(shown.transcript)")
      let table = try await sallyport("audit", "show", directory, "--verb", "delete")
      #expect(table.output.contains("configmaps none -n dev") && !table.output.contains("\u{1B}"), "\(table.transcript)")
      let summary = try await sallyport("audit", "summary", directory)
      #expect(summary.output.contains("carol as alice") && summary.output.contains("Failed sign-ins by address"), "\(summary.transcript)")
      let json = try await sallyport("audit", "summary", directory, "--output", "json")
      #expect(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) is [String: Any])
      let verify = try await sallyport("audit", "verify", directory)
      #expect(verify.status == 0 && verify.output.hasSuffix("The log is as it was written.\n"), "\(verify.transcript)")
      let key = try await sallyport("audit", "public-key", directory + "/checkpoint.key")
      #expect(try key.output == self.demo.read("audit/checkpoint.pub"))
    }

    @Test func aChangedRecordIsFoundByItsExitStatus() async throws {
      try await self.traffic()
      let copy = TemporaryDirectory()
      #expect(try await run("cp", ["-r", self.directory, copy.file("audit")]).status == 0)
      let text = try copy.read("audit/requests.jsonl")
      try copy.write(text.replacingOccurrences(of: "\"username\":\"bob\"", with: "\"username\":\"eve\""), to: "audit/requests.jsonl")
      let verify = try await sallyport("audit", "verify", copy.file("audit"), "--output", "json")
      #expect(verify.status == 3, "\(verify.transcript)")
      #expect(verify.output.contains("requests.jsonl:"))
      let wrong = try await sallyport("audit", "verify", copy.file("nothing"))
      #expect(wrong.status == 1)
    }

    @Test func openSSLAndPythonAgreeWithTheManual() async throws {
      try await self.traffic()
      let check = try await run(Installation.python, [Installation.client("check_chain.py"), self.directory])
      #expect(check.status == 0 && check.output.contains("signatures"), "\(check.transcript)")
    }

    @Test func joinNamesWhoWentAround() async throws {
      try await self.traffic()
      // What an API server would have written of the same requests, and of one that came another way.
      let records = try self.demo.read("audit/requests.jsonl").split(separator: "\n").filter { $0.contains("\"sallyport.dev/upstream\"") }
      let stranger = records[0].replacing(#/"auditID":"[^"]*"/#, with: "\"auditID\":\"11111111-0000-4000-8000-000000000000\"")
      let folder = TemporaryDirectory()
      try folder.write((records + [Substring(stranger)]).joined(separator: "\n") + "\n", to: "audit.log")
      let join = try await sallyport("audit", "join", self.directory, "--apiserver-log", folder.file("audit.log"))
      #expect(join.status == 3, "\(join.transcript)")
      #expect(join.output.contains("around the proxy: ") && join.output.contains("1 around the proxy"), "\(join.transcript)")
    }

    @Test func theReportIsDrawnByABrowserWithoutAComplaint() async throws {
      try await self.traffic()
      let folder = TemporaryDirectory()
      let report = try await sallyport("audit", "report", self.directory, "--file", folder.file("report.html"))
      #expect(report.status == 0, "\(report.transcript)")
      let flags = [
        "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--user-data-dir=" + folder.file("profile"),
        "--enable-logging=stderr",
      ]
      let page = "file://" + folder.file("report.html")
      for (name, more) in [("light", []), ("dark", ["--blink-settings=preferredColorScheme=0"])] {
        let shot = try await run(
          "chromium", flags + more + ["--window-size=1280,2000", "--screenshot=" + folder.file("\(name).png"), page])
        #expect(shot.status == 0, "\(shot.transcript)")
        #expect(!shot.errors.contains("CONSOLE"), "\(shot.errors)")
      }
      let light = try Data(contentsOf: URL(fileURLWithPath: folder.file("light.png")))
      let dark = try Data(contentsOf: URL(fileURLWithPath: folder.file("dark.png")))
      #expect(light.count > 20_000 && dark.count > 20_000 && light != dark)
      let dom = try await run("chromium", flags + ["--dump-dom", page])
      #expect(dom.output.contains("Failed sign-ins by address"))
      let print = try await run("chromium", flags + ["--print-to-pdf=" + folder.file("report.pdf"), "--no-pdf-header-footer", page])
      #expect(print.status == 0 && FileManager.default.fileExists(atPath: folder.file("report.pdf")), "\(print.transcript)")
    }
  }
}

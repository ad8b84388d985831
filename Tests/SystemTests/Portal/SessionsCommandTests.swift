import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// `sallyport sessions` against `sallyport serve`, in processes of their own.
  @Suite(.serialized, .timeLimit(.minutes(10))) struct SessionsCommandTests {
    private struct Session: Decodable {
      let session, user, signedInBy: String
      let address: String?
    }

    private static var change: ServedGateway.Change {
      { configuration, directory in
        try directory.write(SignInClient.users, to: "users.yaml")
        configuration = configuration.replacing(
          "authentication: {clientCertificates: {}}",
          with: "control: {socket: run/control.sock}\n"
            + "authentication: {passwords: [{passwordFile: {file: users.yaml}}], signIn: {session: {idle: 30m}}}"
        ).replacing("authenticate: [clientCertificate]", with: "authenticate: [session]")
      }
    }

    private func listed(_ served: ServedGateway) async throws -> [Session] {
      let run = try await sallyport("sessions", "list", "--config", served.file("sallyport.yaml"), "--output", "json")
      #expect(run.status == 0, "\(run.transcript)")
      return try JSONDecoder().decode([Session].self, from: Data(run.output.utf8))
    }

    @Test func anOperatorSeesWhoIsSignedInAndEndsIt() async throws {
      try await ServedGateway.with(changing: Self.change) { served in
        let file = served.file("sallyport.yaml")
        let none = try await sallyport("sessions", "list", "--config", file)
        #expect(none.status == 0 && none.output == "nobody is signed in\n", "\(none.transcript)")
        let clients = [SignInClient(authority: served.file("server-ca.pem")), SignInClient(authority: served.file("server-ca.pem"))]
        for client in clients { #expect(try await client.signIn(at: served.port) == "303") }
        let sessions = try await self.listed(served)
        #expect(sessions.count == 2 && sessions.allSatisfy { $0.user == "bob" && $0.signedInBy == "passwordFile" })
        #expect(sessions.allSatisfy { $0.address == "127.0.0.1" })
        let table = try await sallyport("sessions", "list", "--config", file, "--user", "bob")
        #expect(table.output.split(separator: "\n").count == 3 && table.output.hasPrefix("SESSION"), "\(table.transcript)")

        let first = try #require(sessions.first?.session)
        let one = try await sallyport("sessions", "revoke", "--config", file, "--session", first)
        #expect(one.status == 0 && one.output == "\(first) has ended\n", "\(one.transcript)")
        let again = try await sallyport("sessions", "revoke", "--config", file, "--session", first)
        #expect(again.status == 1 && again.errors == "there is no such session\n", "\(again.transcript)")
        var statuses: [String] = []
        for client in clients { statuses.append(try await client.status("/version", at: served.port)) }
        #expect(statuses.sorted() == ["200", "401"])
        let rest = try await sallyport("sessions", "revoke", "--config", file, "--user", "bob", "--output", "json")
        #expect(rest.status == 0 && rest.output == "[\"\(sessions[1].session)\"]\n", "\(rest.transcript)")
        for client in clients { #expect(try await client.status("/version", at: served.port) == "401") }

        let records = try served.directory.read("audit/requests.jsonl").split(separator: "\n").filter {
          $0.contains(#""sallyport.dev/event":"sessionsRevoked""#)
        }
        #expect(records.count == 3)
        #expect(records.allSatisfy { $0.contains(#""sallyport.dev/revoked-by":"uid \#(getuid()), pid "#) })
        #expect(records[2].contains(#""sallyport.dev/revoked":"user bob""#) && records[2].contains(sessions[1].session))
        let verified = try await sallyport("audit", "verify", served.file("audit"))
        #expect(verified.status == 0, "\(verified.transcript)")
      }
    }

    /// A gateway that was killed leaves its socket behind; the next one takes its place, and its sessions are gone.
    @Test func aKilledGatewaysSocketMakesWay() async throws {
      try await ServedGateway.with(changing: Self.change) { served in
        let client = SignInClient(authority: served.file("server-ca.pem"))
        #expect(try await client.signIn(at: served.port) == "303")
        served.process.signal(SIGKILL)
        _ = try await served.process.result()
        #expect(FileManager.default.fileExists(atPath: served.file("run/control.sock")))
        let away = try await sallyport("sessions", "list", "--config", served.file("sallyport.yaml"))
        #expect(away.status == 1 && away.errors.contains("no gateway listens there"), "\(away.transcript)")
        try await served.restart()
        #expect(try await self.listed(served).isEmpty)
      }
    }

    @Test func whatCannotBeDoneIsSaid() async throws {
      let help = try await sallyport("sessions", "revoke", "--help")
      #expect(help.status == 0 && help.output.contains("--user") && help.output.contains("--session") && help.output.contains("--all"))
      try await ServedGateway.with { served in
        let file = served.file("sallyport.yaml")
        let without = try await sallyport("sessions", "list", "--config", file)
        #expect(without.status == 1 && without.errors.contains("there is no control socket"), "\(without.transcript)")
        for arguments in [[], ["--all", "--user", "bob"], ["--user", "bob", "--session", "00"]] {
          let wrong = try await run(Installation.sallyport, ["sessions", "revoke", "--config", file] + arguments)
          #expect(wrong.status == 2 && wrong.errors.contains("Give one of --user, --session and --all."), "\(wrong.transcript)")
        }
      }
    }
  }
}

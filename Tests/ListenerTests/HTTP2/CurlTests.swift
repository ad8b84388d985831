import Foundation
import SallyportListener
import SallyportPKI
import TestSupport
import Testing

/// Requests of curl, which speaks HTTP/2 by a library that is not ours.
@Suite(.timeLimit(.minutes(5))) struct CurlTests {
  private struct Answer {
    let status: Int
    let version: String
    let fields: [String]
    let body: String
  }

  /// Runs curl against the listener; what it prints of the answer is taken apart.
  private func curl(_ fixture: ListenerFixture, _ path: String, _ arguments: String..., input: Data? = nil) async throws -> Answer {
    let roots = try fixture.directory.write(fixture.pki.serverAuthority.certificatePEM, to: "roots.pem")
    let result = try await run(
      "curl",
      [
        "--silent", "--show-error", "--cacert", roots, "--max-time", "60", "--include", "--write-out", "\n%{http_version} %{response_code}",
      ] + arguments + ["https://localhost:\(fixture.port)\(path)"], input: input, seconds: 90)
    #expect(result.status == 0, "\(result.errors)")
    let end = result.output.lastIndex(of: "\n") ?? result.output.startIndex
    let verdict = result.output[end...].split(separator: " ")
    let message = result.output[..<end]
    // Informational answers come first.
    let parts = message.components(separatedBy: "\r\n\r\n")
    let heads = parts.prefix { $0.hasPrefix("HTTP/") }
    return Answer(
      status: verdict.last.flatMap { Int($0) } ?? 0, version: verdict.first.map { $0.trimmingCharacters(in: .newlines) } ?? "",
      fields: heads.last?.components(separatedBy: "\r\n").dropFirst().filter { !$0.isEmpty } ?? [],
      body: parts.dropFirst(heads.count).joined(separator: "\r\n\r\n"))
  }

  @Test func aRequestIsAnswered() async throws {
    let fixture = try await ListenerFixture.start()
    let answer = try await self.curl(fixture, "/facts", "--http2")
    #expect(answer.status == 200)
    #expect(answer.version == "2")
    #expect(answer.body == "nobody TLSv1.3 localhost false HTTP/2")
    await fixture.listener.close()
  }

  @Test func aClientMayStillSpeakHTTP1() async throws {
    let fixture = try await ListenerFixture.start()
    let answer = try await self.curl(fixture, "/facts", "--http1.1")
    #expect(answer.version == "1.1")
    #expect(answer.body == "nobody TLSv1.3 localhost false")
    await fixture.listener.close()
  }

  @Test func aListenerThatOffersNoHTTP2SpeaksNone() async throws {
    let fixture = try await ListenerFixture.start(change: { $0.tls?.offersHTTP2 = false })
    let answer = try await self.curl(fixture, "/facts", "--http2")
    #expect(answer.version == "1.1")
    await fixture.listener.close()
  }

  @Test func aBodyComesBackWhole() async throws {
    let fixture = try await ListenerFixture.start()
    let body = String(repeating: "0123456789abcdef", count: 64 * 1024)
    let answer = try await self.curl(fixture, "/echo", "--http2", "--data-binary", "@-", input: Data(body.utf8))
    #expect(answer.status == 200)
    #expect(answer.body == body)
    #expect(answer.fields.contains("content-length: \(body.utf8.count)"))
    await fixture.listener.close()
  }
}

import NIOCore
import SallyportConfiguration
import SallyportMetrics
import TestSupport
import Testing

@testable import SallyportService

// What an operator does with a house: changes its files, has them read anew, looks in.
extension House {
  /// Changes the configuration file; the text to be replaced must stand there.
  func change(_ old: String, to new: String, location: SourceLocation = #_sourceLocation) throws {
    let text = try self.directory.read("sallyport.yaml")
    #expect(text.contains(old), "the configuration has no \(old)", sourceLocation: location)
    try self.directory.write(text.replacing(old, with: new), to: "sallyport.yaml")
  }

  /// Has everything read anew.
  func reload() async throws {
    try await self.gateway.reload(to: try GatewayConfiguration.load(file: self.directory.file("sallyport.yaml")))
  }

  /// A GET at the admin listener.
  func look(_ target: String, method: String = "GET") async throws -> Answer {
    let client = try await RawTLSClient.connect(port: try #require(self.gateway.adminAddress?.port), tls: nil)
    try await client.send("\(method) \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    let answer = try await client.answer(toHead: method == "HEAD")
    await client.close()
    return answer
  }

  /// The value of a series, as a scrape shows it; `nil` where it is not shown.
  func metric(_ series: String) async throws -> Double? {
    let text = await self.gateway.metrics.text()
    return text.split(separator: "\n").first { $0.hasPrefix(series + " ") }.flatMap { Double($0.dropFirst(series.count + 1)) }
  }

  /// A watch that has shown its first events.
  func watch(as certificate: TestCertificate? = nil, _ fields: String = "") async throws -> (client: RawTLSClient, answer: Answer) {
    let client = try await self.connect(as: certificate)
    try await client.send("GET /api/v1/namespaces/dev/pods?watch=1 HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n")
    let answer = Answer(head: try await client.read(until: "\r\n\r\n"))
    try #require(answer.status == 200, "\(answer)")
    _ = try await client.chunk()
    return (client, answer)
  }
}

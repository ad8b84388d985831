import AsyncHTTPClient
import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOSSL

/// Asks the Kubernetes API, each time by the token of the user who looks at a page.
final class APIClient: Sendable {
  struct Answer: Sendable {
    let status: Int
    let body: Data
  }

  /// Nobody answered, or not to the end.
  struct Unreachable: Error {}

  private static let mostBytes = 8 * 1024 * 1024

  private let group: any EventLoopGroup
  private struct State {
    var address: String?
    var exec: ExecPlace?
    /// The last one asks; all that there were are closed in the end.
    var clients: [HTTPClient] = []
  }

  private let state = NIOLockedValueBox(State())

  init(group: any EventLoopGroup) { self.group = group }

  /// - Parameters:
  ///   - address: `https://127.0.0.1:8443`
  ///   - authorities: of its certificate, PEM
  func connect(to address: String, trusting authorities: String) throws {
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.minimumTLSVersion = .tlsv12
    tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(authorities.utf8)))
    var configuration = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
    configuration.timeout = .init(connect: .seconds(3), read: .seconds(10))
    let client = HTTPClient(eventLoopGroupProvider: .shared(self.group), configuration: configuration)
    tls.applicationProtocols = ["http/1.1"]
    let url = URLComponents(string: address)
    let exec = ExecPlace(host: url?.host ?? "", port: url?.port ?? 443, tls: try NIOSSLContext(configuration: tls))
    self.state.withLockedValue { state in
      state.address = address
      state.exec = exec
      state.clients.append(client)
    }
  }

  func get(_ path: String, as token: BearerToken) async throws -> Answer {
    try await self.ask(.GET, path, as: token, body: nil)
  }

  /// Who the API takes the bearer of the token for.
  func whoAmI(_ token: BearerToken) async throws -> Answer {
    try await self.ask(
      .POST, "/apis/authentication.k8s.io/v1/selfsubjectreviews", as: token,
      body: #"{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}"#)
  }

  /// Asks for a command in a pod, on a connection that becomes a tunnel.
  func exec(_ request: ExecRequest, on eventLoop: any EventLoop) -> EventLoopFuture<ExecAnswer> {
    guard let place = self.state.withLockedValue({ $0.exec }) else { return eventLoop.makeSucceededFuture(.unreachable) }
    return place.open(request, on: eventLoop)
  }

  private func ask(_ method: HTTPMethod, _ path: String, as token: BearerToken, body: String?) async throws -> Answer {
    let (address, client) = self.state.withLockedValue { ($0.address, $0.clients.last) }
    guard let address, let client else { throw Unreachable() }
    var request = HTTPClientRequest(url: address + path)
    request.method = method
    request.headers.add(name: "Authorization", value: token.authorization)
    request.headers.add(name: "Accept", value: "application/json")
    request.headers.add(name: "User-Agent", value: "sallyport-practice-dashboard")
    if let body {
      request.headers.add(name: "Content-Type", value: "application/json")
      request.body = .bytes(ByteBuffer(string: body))
    }
    do {
      let response = try await client.execute(request, timeout: .seconds(10))
      let bytes = try await response.body.collect(upTo: Self.mostBytes)
      return Answer(status: Int(response.status.code), body: Data(bytes.readableBytesView))
    } catch {
      // Its description may hold the request, token included.
      throw Unreachable()
    }
  }

  func close() async {
    for client in self.state.withLockedValue({ $0.clients }) { try? await client.shutdown() }
  }
}

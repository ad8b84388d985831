import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
public import SallyportConfiguration
import SallyportJSON
import SallyportWire

/// Asks a running gateway at its control socket.
public struct ControlSocket: Sendable {
  /// The most bytes of an answer: ten thousand sessions.
  private static let mostBytes = 16 * 1024 * 1024

  private let path: String

  public init(path: String) { self.path = path }

  /// The socket of the gateway that runs by a configuration.
  ///
  /// - Throws: ``CommandFailure`` where the configuration has none
  public init(configuration: GatewayConfiguration, file: String) throws(CommandFailure) {
    guard let control = configuration.control else {
      throw CommandFailure("\(file): there is no control socket; add `control: {socket: FILE}`, and reload the gateway")
    }
    self.init(path: control.socket.path)
  }

  /// The sessions of a user, or all of them.
  public func sessions(of user: String?) async throws(CommandFailure) -> SessionListing {
    let query = user.map { "?user=\(PercentEncoding.encode($0))" } ?? ""
    return try SessionListing(try await self.ask(.GET, "/sessions\(query)"))
  }

  /// Ends sessions.
  public func revoke(_ sessions: RevokedSessions) async throws(CommandFailure) -> EndedSessions {
    guard let handles = try await self.ask(.POST, "/sessions/revoke", sessions.question)["ended"]?.strings else {
      throw CommandFailure("\(self.path) answers what this version does not understand")
    }
    return EndedSessions(handles: handles)
  }

  private func ask(_ method: HTTPMethod, _ target: String, _ body: JSONValue? = nil) async throws(CommandFailure) -> JSONValue {
    guard let url = URL(httpURLWithSocketPath: self.absolutePath, uri: target) else {
      throw CommandFailure("\(self.path) is no path of a socket")
    }
    var request = HTTPClientRequest(url: url.absoluteString)
    request.method = method
    // A socket has no host that the client would name by itself, and no request is read without one.
    request.headers.add(name: "Host", value: "sallyport")
    if let body {
      request.headers.add(name: "Content-Type", value: "application/json")
      request.body = .bytes(ByteBuffer(bytes: JSONWriter.write(body)))
    }
    let client = HTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
    let result = await self.result(of: request, by: client)
    try? await client.shutdown()
    return try result.get()
  }

  private var absolutePath: String {
    self.path.hasPrefix("/") ? self.path : "\(FileManager.default.currentDirectoryPath)/\(self.path)"
  }

  private func result(of request: HTTPClientRequest, by client: HTTPClient) async -> Result<JSONValue, CommandFailure> {
    do {
      let response = try await client.execute(request, timeout: .seconds(60))
      let body = try await response.body.collect(upTo: Self.mostBytes)
      guard let document = try? JSONReader.read(body.readableBytesView) else {
        return .failure(CommandFailure("\(self.path) answers with status \(response.status.code) and no JSON"))
      }
      guard response.status == .ok else {
        return .failure(CommandFailure("\(self.path): \(document["error"]?.string ?? "status \(response.status.code)")"))
      }
      return .success(document)
    } catch {
      return .failure(CommandFailure("\(self.path) cannot be asked: \(self.reason)"))
    }
  }

  /// What is most likely wrong with a socket that does not answer: an error of a connection says less.
  private var reason: String {
    guard FileManager.default.fileExists(atPath: self.absolutePath) else {
      return "it is not there, or in a directory that this user cannot enter; ask as the user that the gateway runs as, while it runs"
    }
    return "no gateway listens there, or this user may not ask it"
  }
}

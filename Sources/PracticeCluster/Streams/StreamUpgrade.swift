import NIOCore
import NIOHTTP1

/// What a connection becomes after a 101.
struct StreamUpgrade: Sendable {
  let headers: [(name: String, value: String)]
  /// Makes the handler, on the connection's event loop.
  let handler: @Sendable () -> StreamingHandler
}

/// A request to change the protocol, as its head states it.
struct UpgradeRequest {
  enum Kind: Sendable { case webSocket, spdy }

  let kind: Kind
  /// What the client would speak, the best first.
  let protocols: [String]
  private let webSocketKey: String

  /// - Throws: 400 where the request is no upgrade, or lacks what one needs; the texts are kube-apiserver's
  init(_ headers: HTTPHeaders) throws(APIError) {
    guard headers["Connection"].contains(where: { $0.lowercased().contains("upgrade") }) else {
      throw .badRequest("Upgrade request required")
    }
    switch headers.first(name: "Upgrade")?.lowercased() {
    case "websocket":
      guard let key = headers.first(name: "Sec-WebSocket-Key"), headers.first(name: "Sec-WebSocket-Version") == "13" else {
        throw .badRequest("not websocket protocol")
      }
      self.kind = .webSocket
      self.webSocketKey = key
      self.protocols = headers[canonicalForm: "Sec-WebSocket-Protocol"].map(String.init).filter { !$0.isEmpty }
    case "spdy/3.1":
      self.kind = .spdy
      self.webSocketKey = ""
      self.protocols = headers[canonicalForm: "X-Stream-Protocol-Version"].map(String.init).filter { !$0.isEmpty }
      guard !self.protocols.isEmpty else {
        throw .badRequest("unable to upgrade: \"X-Stream-Protocol-Version\" header is required")
      }
    default: throw .badRequest("unable to upgrade: missing upgrade headers in request: Upgrade")
    }
  }

  /// Chooses the first of the client's protocols that is spoken here.
  ///
  /// - Parameter spoken: by WebSocket an empty name stands for a client that names none
  /// - Throws: 403, by which clients know that they should try something else
  func choose(among spoken: [String]) throws(APIError) -> String {
    if let chosen = self.protocols.first(where: { spoken.contains($0) }) { return chosen }
    if self.kind == .webSocket, self.protocols.isEmpty, spoken.contains("") { return "" }
    let offered = self.protocols.joined(separator: " ")
    var error = APIError(
      403, "Forbidden",
      "unable to upgrade: unable to negotiate protocol: client supports [\(offered)], server accepts [\(spoken.joined(separator: " "))]")
    if self.kind == .spdy { error.headers = spoken.map { ("X-Accepted-Stream-Protocol-Versions", $0) } }
    throw error
  }

  /// The fields of the 101 for the chosen protocol.
  func answer(_ chosen: String) -> [(name: String, value: String)] {
    switch self.kind {
    case .webSocket:
      [
        ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", WebSocketFrame.accept(self.webSocketKey)),
      ] + (chosen.isEmpty ? [] : [("Sec-WebSocket-Protocol", chosen)])
    case .spdy: [("Connection", "Upgrade"), ("Upgrade", "SPDY/3.1"), ("X-Stream-Protocol-Version", chosen)]
    }
  }
}

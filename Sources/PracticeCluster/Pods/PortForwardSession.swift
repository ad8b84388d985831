import NIOCore

import struct Foundation.Date

/// The ports of a pod. Behind each a service echoes what it gets until its client is done; three are as RFC 863, RFC 867 and
/// a closed port have them, so that every end of a connection can be seen.
struct PortForwardSession: PodSession {
  enum Service: Equatable {
    case echo
    /// Takes everything and says nothing.
    case discard
    /// Says the time and ends, whatever the client does.
    case daytime
    /// Nothing listens.
    case closed

    init(port: Int) {
      self =
        switch port {
        case 1: .closed
        case 9: .discard
        case 13: .daytime
        default: .echo
        }
    }
  }

  private enum Role {
    case data(port: Int, request: String)
    case error(request: String)

    var request: String {
      switch self {
      case .data(_, let request), .error(let request): request
      }
    }
  }

  private var roles: [StreamID: Role] = [:]
  /// The error stream of each connection, by the connection's number.
  private var errors: [String: StreamID] = [:]
  private let now: @Sendable () -> Date

  init(now: @escaping @Sendable () -> Date = { Date() }) { self.now = now }

  mutating func receive(_ event: StreamEvent) -> [StreamCommand] {
    switch event {
    case .opened(let id, let fields): return self.opened(id, fields)
    case .data(let id, let bytes):
      guard case .data(let port, _) = self.roles[id], Service(port: port) == .echo else { return [] }
      return [.send(bytes, on: id)]
    case .ended(let id):
      guard case .data = self.roles[id] else { return [] }
      return [.end(id)] + self.forget(id)
    case .reset(let id):
      guard case .data = self.roles[id] else { return [] }
      return self.forget(id)
    case .goodbye: return []
    }
  }

  private mutating func opened(_ id: StreamID, _ fields: [String: String]) -> [StreamCommand] {
    guard let port = fields["port"].flatMap({ UInt16($0) }), port > 0 else { return [.reset(id)] }
    let request = fields["requestid"] ?? ""
    switch fields["streamtype"] {
    case "error" where self.errors[request] == nil:
      self.roles[id] = .error(request: request)
      self.errors[request] = id
      return []
    case "data" where self.errors[request] != nil:
      self.roles[id] = .data(port: Int(port), request: request)
      return self.begin(id, port: Int(port))
    // Clients open the error stream first.
    default: return [.reset(id)]
    }
  }

  private mutating func begin(_ id: StreamID, port: Int) -> [StreamCommand] {
    switch Service(port: port) {
    case .echo, .discard: return []
    case .daytime: return [.send(ByteBuffer(string: Timestamp.text(self.now()) + "\r\n"), on: id), .end(id)] + self.forget(id)
    case .closed:
      guard let request = self.roles[id]?.request, let error = self.errors[request] else { return [.reset(id)] }
      let text = "error forwarding port \(port) to pod: failed to connect to localhost:\(port): connection refused"
      return [.send(ByteBuffer(string: text), on: error), .end(id)] + self.forget(id)
    }
  }

  /// Ends the error stream of a connection that is over.
  private mutating func forget(_ id: StreamID) -> [StreamCommand] {
    guard let request = self.roles.removeValue(forKey: id)?.request, let error = self.errors.removeValue(forKey: request) else { return [] }
    self.roles[error] = nil
    return [.end(error)]
  }

  /// The channels of a WebSocket: two for each port of the query, and on each the port first, in two bytes.
  static func webSocketChannels(_ values: [String]) throws(APIError) -> [WebSocketChannels.Channel] {
    var ports: [UInt16] = []
    for text in values.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
      guard let port = UInt16(text), port > 0 else { throw .badRequest("unable to parse \(String(text).quoted) as a port") }
      ports.append(port)
    }
    guard !ports.isEmpty, ports.count <= 127 else { throw .badRequest("query parameter \"port\" is required") }
    return ports.enumerated().flatMap { number, port -> [WebSocketChannels.Channel] in
      var greeting = ByteBuffer()
      greeting.writeInteger(port, endianness: .little)
      func channel(_ id: Int, _ type: String) -> WebSocketChannels.Channel {
        WebSocketChannels.Channel(
          id: StreamID(id), fields: ["streamtype": type, "port": "\(port)", "requestid": "\(number)"], greeting: greeting)
      }
      // The error's channel has the higher number, but is told first, as other clients open it first.
      return [channel(2 * number + 1, "error"), channel(2 * number, "data")]
    }
  }
}

import Foundation
import NIOCore
import NIOHTTP1

/// What the API says to a request for a command in a pod.
enum ExecAnswer: Sendable {
  /// The connection speaks the protocol now; its last handler is a ``Relay`` that waits for its other end.
  case opened(any Channel, protocol: String)
  /// - Parameter status: why not, as a `v1.Status`
  case refused(status: Data)

  static func refused(_ message: String) -> ExecAnswer { .refused(status: self.status(message)) }

  /// A `v1.Status` that says so.
  static func status(_ message: String) -> Data {
    let object = ["kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message]
    return (try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys])) ?? Data()
  }

  static let unreachable = ExecAnswer.refused("The API cannot be reached.")
}

/// What is asked of the API, on behalf of a browser that has opened a WebSocket.
struct ExecRequest: Sendable {
  /// The versions of the protocol that the page's script speaks.
  static let knownProtocols: Set = ["v5.channel.k8s.io", "v4.channel.k8s.io"]

  let pod: PodName
  let token: BearerToken
  /// The browser's own `Sec-WebSocket-Key`: the frames go through as they are, so that the handshake is between it and the API.
  let key: String
  /// Those of the browser's that are known, the best first; never empty.
  let protocols: [String]

  /// - Returns: `nil` where the request is no WebSocket's, or nobody's
  init?(_ head: HTTPRequestHead, _ pod: PodName) {
    guard head.method == .GET, let token = BearerToken(head.headers), head.headers["Sec-WebSocket-Version"] == ["13"],
      head.headers["Sec-WebSocket-Key"].count == 1, let key = head.headers.first(name: "Sec-WebSocket-Key"), !key.isEmpty
    else { return nil }
    let protocols = head.headers[canonicalForm: "Sec-WebSocket-Protocol"].map(String.init).filter(Self.knownProtocols.contains)
    guard !protocols.isEmpty else { return nil }
    self.pod = pod
    self.token = token
    self.key = key
    self.protocols = protocols
  }

  /// - Parameter host: of the API, with its port
  func head(host: String) -> HTTPRequestHead {
    var head = HTTPRequestHead(
      version: .http1_1, method: .GET, uri: "\(self.pod.path)/exec?command=sh&stdin=true&stdout=true&tty=true")
    head.headers = [
      "Host": host, "Authorization": self.token.authorization, "User-Agent": "sallyport-practice-dashboard",
      "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": self.key, "Sec-WebSocket-Protocol": self.protocols.joined(separator: ", "),
    ]
    return head
  }

  /// Whether a 101 is the answer to this request.
  func isAnswered(by response: HTTPResponseHead) -> Bool {
    response.headers["Sec-WebSocket-Accept"] == [ServerMessage.accept(self.key)] && response.headers["Sec-WebSocket-Extensions"].isEmpty
      && response.headers["Sec-WebSocket-Protocol"].count == 1
      && self.protocols.contains(response.headers.first(name: "Sec-WebSocket-Protocol") ?? "")
  }
}

import NIOCore
import NIOHTTP1

/// A request as it came, its body complete.
struct APIRequest: Sendable {
  let method: String
  /// The target as it was sent.
  let uri: String
  let url: GoURL
  let headers: HTTPHeaders
  let body: ByteBuffer
  /// What the connection's client certificate proves; without one nothing.
  let peer: PeerTrust

  var bodyBytes: [UInt8] { Array(self.body.readableBytesView) }
  var userAgent: String { self.headers.first(name: "user-agent") ?? "" }
}

/// The answer to a request.
struct APIResponse: Sendable {
  enum Body: Sendable {
    case bytes([UInt8])
    /// Bytes that are made while they are sent.
    case stream(any BodyStream)
    /// Nothing: the connection changes its protocol.
    case upgrade(StreamUpgrade)
  }

  var status: Int
  var headers: [(name: String, value: String)]
  var body: Body
  /// The request was none that anything could follow.
  var closesConnection = false

  init(status: Int, contentType: String = "application/json", headers: [(name: String, value: String)] = [], body: Body) {
    self.status = status
    self.headers = [("Content-Type", contentType)] + headers
    self.body = body
  }

  static func json(_ value: JSON, status: Int = 200) -> APIResponse {
    APIResponse(status: status, body: .bytes(value.bytes))
  }

  static func text(_ text: String, status: Int = 200) -> APIResponse {
    APIResponse(status: status, contentType: "text/plain; charset=utf-8", body: .bytes(Array(text.utf8)))
  }
}

/// A response body that is made piece by piece, only while the connection takes it.
///
/// All calls come from the connection's event loop.
protocol BodyStream: Sendable {
  /// - Parameter wake: called, from any thread, when a stream that said ``BodyPiece/later`` has more
  func start(on eventLoop: any EventLoop, wake: @escaping @Sendable () -> Void)
  func next() -> BodyPiece
  /// The connection is gone or the stream has ended; nothing is called after it.
  func stop()
}

enum BodyPiece {
  case bytes([UInt8])
  /// There is nothing now; `wake` tells when there is.
  case later
  case end
}

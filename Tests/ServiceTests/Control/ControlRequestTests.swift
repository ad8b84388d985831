import Foundation
import NIOCore
import SallyportAuthentication
import SallyportCore
import SallyportWire
import Testing

@testable import SallyportService

/// What is understood at the control socket.
@Suite struct ControlRequestTests {
  private func read(_ line: String, _ body: String = "") throws -> Result<ControlRequest, ControlReply> {
    var reader = HTTP1RequestReader(limits: MessageLimits())
    reader.receive(ByteBuffer(string: "\(line) HTTP/1.1\r\nHost: sallyport\r\n\r\n"))
    guard case .head(let head) = try reader.next() else { throw NoHead() }
    return Result { () throws(ControlReply) in try ControlRequest(head, body: Array(body.utf8)) }
  }

  private struct NoHead: Error {}

  @Test func whatCanBeAsked() throws {
    #expect(try self.read("GET /sessions") == .success(.list(user: nil)))
    #expect(try self.read("GET /sessions?user=alice") == .success(.list(user: "alice")))
    #expect(try self.read("GET /sessions?user=a%26b%C3%A9+c") == .success(.list(user: "a&bé c")))
    #expect(try self.read("POST /sessions/revoke", #"{"user":"alice"}"#) == .success(.revoke(.user("alice"))))
    #expect(try self.read("POST /sessions/revoke", #"{"session":"00ff"}"#) == .success(.revoke(.handle("00ff"))))
    #expect(try self.read("POST /sessions/revoke", #"{"all":true}"#) == .success(.revoke(.all)))
  }

  /// Nobody's sessions end by a question that means something else.
  @Test(arguments: [
    "", "{}", "[]", "null", #"{"all":false}"#, #"{"all":"true"}"#, #"{"all":1}"#, #"{"user":7}"#, #"{"user":"a","all":true}"#,
    #"{"user":"a","session":"b"}"#, #"{"user":"a","user":"b"}"#, #"{"users":"a"}"#, #"{"session":null}"#, #"{"all":true"#, "all=true",
  ])
  func whatRevokesNothing(_ body: String) throws {
    guard case .failure(let reply) = try self.read("POST /sessions/revoke", body) else {
      Issue.record("understood")
      return
    }
    #expect(reply.status == 400)
  }

  @Test func whatIsElsewhere() throws {
    for (line, status) in [
      ("GET /", 404), ("GET /sessions/", 404), ("GET /sessions/revoke", 405), ("DELETE /sessions", 405), ("POST /sessions", 405),
      ("HEAD /sessions", 405), ("GET /sessions?name=alice", 400), ("GET /sessions?user=%zz", 400), ("GET /sessions?user=%ff", 400),
      ("GET /metrics", 404),
    ] {
      guard case .failure(let reply) = try self.read(line) else {
        Issue.record("understood: \(line)")
        continue
      }
      #expect(reply.status == status, "\(line)")
    }
  }
}

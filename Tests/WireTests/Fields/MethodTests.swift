import NIOCore
import SallyportWire
import Testing

@Suite struct MethodTests {
  private static let standard: [(name: String, method: SallyportWire.Method)] = [
    ("GET", .get), ("HEAD", .head), ("POST", .post), ("PUT", .put), ("PATCH", .patch), ("DELETE", .delete), ("OPTIONS", .options),
    ("CONNECT", .connect), ("TRACE", .trace),
  ]

  private func read(_ name: String) throws -> SallyportWire.Method? {
    var reader = HTTP1RequestReader(limits: MessageLimits())
    let target = name == "CONNECT" ? "h:1" : "/"
    reader.receive(ByteBuffer(string: "\(name) \(target) HTTP/1.1\r\nHost: h:1\r\n\r\n"))
    guard case .head(let head)? = try reader.next() else { return nil }
    return head.method
  }

  @Test func theStandardMethodsAreReadFromNamesAndFromBytes() throws {
    for (name, method) in Self.standard {
      #expect(SallyportWire.Method(name) == method)
      #expect(try self.read(name) == method)
      #expect(method.description == name)
    }
  }

  @Test func anyOtherSpellingIsAnotherMethod() throws {
    for (name, _) in Self.standard {
      for other in [name.lowercased(), name + "X", String(name.dropLast()), name.prefix(1) + name.dropFirst().lowercased()] {
        #expect(SallyportWire.Method(other) == .other(other))
        #expect(try self.read(other) == .other(other))
      }
    }
    #expect(try self.read("PROPPATCH") == .other("PROPPATCH"))
    #expect(try self.read("M-SEARCH!#$%&'*+.^_`|~") == .other("M-SEARCH!#$%&'*+.^_`|~"))
  }

  @Test func theSafeAndTheIdempotentAreThoseOfTheRFC() {
    #expect(Self.standard.filter { $0.method.isSafe }.map(\.name) == ["GET", "HEAD", "OPTIONS", "TRACE"])
    #expect(Self.standard.filter { $0.method.isIdempotent }.map(\.name) == ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"])
    #expect(!SallyportWire.Method("get").isSafe && !SallyportWire.Method("get").isIdempotent)
  }
}

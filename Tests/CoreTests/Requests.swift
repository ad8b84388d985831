import NIOCore
import SallyportCore
import Testing

@testable import SallyportWire

/// Fields with values of any bytes, as a lenient parser might have let them in.
func fields(_ lines: [(name: String, value: [UInt8])]) -> HeaderFields {
  var bytes = ByteBuffer()
  var entries: [HeaderFields.Entry] = []
  for (name, value) in lines {
    let nameStart = bytes.writerIndex
    bytes.writeString(name)
    let valueStart = bytes.writerIndex
    bytes.writeBytes(value)
    entries.append(
      .init(
        nameStart: UInt32(nameStart), nameLength: UInt32(name.utf8.count), valueStart: UInt32(valueStart), valueLength: UInt32(value.count),
        known: Array(name.utf8).withUnsafeBytes { KnownField(nameBytes: $0) }))
  }
  return HeaderFields(bytes: bytes, entries: entries)
}

/// A request's head with these fields.
func head(
  _ lines: [(String, String)], method: SallyportWire.Method = .get, target: String = "/api/v1/pods", version: HTTPVersion = .http11
) throws -> RequestHead {
  RequestHead(
    method: method, target: try RequestTarget(reading: ByteBuffer(string: target), for: method), version: version,
    fields: fields(lines.map { ($0.0, Array($0.1.utf8)) }))
}

/// A request that came by way of the door.
func stripped(_ lines: [(String, String)], fromTrustedPeer: Bool = false, version: HTTPVersion = .http11) throws -> StrippedRequest {
  try StrippedRequest(stripping: head(lines, version: version), fromTrustedPeer: fromTrustedPeer)
}

extension Secret {
  /// What is inside, for comparison.
  var text: String { self.withBytes { String(decoding: $0, as: UTF8.self) } }
}

/// Expects that a request is refused with 400 as the client's fault, for this reason.
func expectRefusal(
  _ code: String, _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> StrippedRequest
) {
  do {
    _ = try body()
    Issue.record(comment ?? "the request was not refused", sourceLocation: sourceLocation)
  } catch let problem as Problem {
    #expect(problem.code == code && problem.status == 400 && problem.blame == .client, comment, sourceLocation: sourceLocation)
  } catch {
    Issue.record(error, comment, sourceLocation: sourceLocation)
  }
}

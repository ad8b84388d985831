import Foundation
import NIOCore
import SallyportWire
import Testing

/// Our reading against the one that a real API server wrote down, for every recorded request.
@Suite struct RequestRecordTests {
  @Test func theRecordIsThereInCI() {
    if ProcessInfo.processInfo.environment["CI"] == "true" {
      #expect(RecordedRequest.all.isWholeRecord, "\(RecordedRequest.file.path) must be there when CI=true")
    }
  }

  @Test(arguments: RecordedRequest.all.cases)
  func weReadARequestAsTheServerDid(_ recorded: RecordedRequest) throws {
    let method = Method(recorded.method)
    guard let target = try? RequestTarget(reading: ByteBuffer(bytes: recorded.target), for: method) else { return }
    guard let audit = recorded.audit else { return }
    #expect(RequestInfo(method: method, target: target).reading == audit)
  }

  /// What is refused is counted, so that neither a new refusal nor a lost one goes unnoticed.
  @Test func weRefuseExactlyTheAmbiguousSpellings() {
    var refused: [String: [RecordedRequest]] = [:]
    for recorded in RecordedRequest.all.cases {
      if let reason = self.refusal(of: recorded) { refused[reason, default: []].append(recorded) }
    }
    for (reason, cases) in refused.sorted(by: { $0.key < $1.key }) {
      print("refused \(cases.count): \(reason)")
      for recorded in cases { print("  \(recorded.status) \(recorded.testDescription)") }
    }
    guard RecordedRequest.all.isWholeRecord else { return }
    #expect(refused.mapValues(\.count) == Self.expectedRefusals)
  }

  @Test func nothingThatACanonicalClientSendsIsRefused() {
    for recorded in RecordedRequest.all.cases where self.isCanonical(recorded.target) {
      if let reason = self.refusal(of: recorded) {
        #expect(recorded.method == "CONNECT", "\(recorded.testDescription): \(reason)")
      }
    }
  }

  /// The odd spellings that the server serves and we do not, all of them.
  @Test func whatTheServerServesAndWeRefuseIsKnown() {
    let served = RecordedRequest.all.cases.filter { $0.status < 400 && $0.status != 0 && self.refusal(of: $0) != nil }
    guard RecordedRequest.all.isWholeRecord else { return }
    #expect(served.map { String(decoding: $0.target, as: UTF8.self) } == Self.servedButRefused)
  }

  private func refusal(of recorded: RecordedRequest) -> String? {
    do {
      let target = try RequestTarget(reading: ByteBuffer(bytes: recorded.target), for: Method(recorded.method))
      return target.ambiguity(for: .kubernetes)?.reason
    } catch {
      return error.reason
    }
  }

  /// What kubectl and client-go send: full segments of plain bytes, perhaps a slash at the end.
  private func isCanonical(_ target: [UInt8]) -> Bool {
    let text = String(decoding: target, as: UTF8.self)
    guard text.hasPrefix("/"), !text.contains("#"), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return false }
    var path = text.prefix { $0 != "?" }.dropFirst()
    if path.hasSuffix("/") { path = path.dropLast() }
    return path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { segment in
      !(segment.isEmpty && path.count > 0) && segment != "." && segment != ".." && !segment.contains { "%\\".contains($0) }
    }
  }

  /// Reason by count, over the 463 recorded requests whose method a request line can hold.
  private static let expectedRefusals: [String: Int] = [
    "A percent sign in the path is not followed by two hexadecimal digits; write it %25.": 2,
    "CONNECT goes with host:port, and only CONNECT does.": 2,
    "The path begins with two slashes, behind which some servers read a host name; begin it with one.": 8,
    "The path holds a backslash, which some servers take for a slash; separate segments by /.": 2,
    "The path holds a segment . or .., which servers read in two ways; send the path that you mean.": 23,
    "The path holds an encoded control character; no name has one, so leave it out.": 3,
    "The path is not UTF-8, so that servers may read other characters into it; encode names as UTF-8.": 5,
    "The request target * goes with OPTIONS alone.": 2,
    "The request target does not begin with a slash, nor is it a URL with a path.": 5,
    "The request target holds a #, which servers read in two ways; leave the fragment out, or write %23 for a # in a name.": 3,
    "The request target holds a blank or control character; percent-encode it.": 7,
    "The request target is empty.": 1,
    "Two slashes stand side by side in the path, which some servers merge; write one.": 6,
  ]
  /// A raw blank, which only HTTP/2 can carry.
  private static let servedButRefused = ["/api/v1/namespaces/dev/secrets/s1?x=a b"]
}

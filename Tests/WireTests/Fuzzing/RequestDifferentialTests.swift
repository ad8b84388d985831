import SallyportWire
import TestSupport
import Testing

import class Foundation.ProcessInfo

/// How many messages the differential tests try; `SALLYPORT_FUZZ_CASES` asks for more.
let fuzzCases = ProcessInfo.processInfo.environment["SALLYPORT_FUZZ_CASES"].flatMap { Int($0) } ?? 20_000

/// Random requests, read by Sallyport and by llhttp: what both read, they must read alike, and Sallyport must read
/// nothing that llhttp refuses.
@Suite struct RequestDifferentialTests {
  private struct Tally {
    var bothAccept = 0
    var bothRefuse = 0
    var onlySecondAccepts = 0
    var incomplete = 0
    var excused: [String: Int] = [:]
    var complaints: [String] = []
  }

  @Test func whatBothReadersReadTheyReadAlike() throws {
    var tally = Tally()
    for seed in 0..<UInt64(fuzzCases) {
      var grammar = MessageGrammar(seed: seed)
      var bytes = grammar.requests()
      var chance = Chance(seed: ~seed)
      if chance.once(in: 2) { Mutation.apply(to: &bytes, by: &chance) }
      if let complaint = try self.compare(bytes, &tally) { tally.complaints.append("seed \(seed): \(complaint)\n\(bytes.quoted)") }
    }
    print(
      "requests: \(fuzzCases) tried, \(tally.bothAccept) accepted by both, \(tally.bothRefuse) refused by both,",
      "\(tally.onlySecondAccepts) accepted by llhttp alone, \(tally.incomplete) not complete, excused \(tally.excused)")
    for complaint in tally.complaints.prefix(10) { Issue.record("\(complaint)") }
    #expect(tally.complaints.isEmpty)
    // The test says something only where both verdicts are frequent.
    #expect(tally.bothAccept > fuzzCases / 5)
    #expect(tally.bothRefuse > fuzzCases / 10)
    #expect(tally.onlySecondAccepts > fuzzCases / 100)
    #expect(tally.onlySecondAccepts < fuzzCases / 4)
  }

  /// What is wrong between the two readings, if anything is.
  private func compare(_ bytes: [UInt8], _ tally: inout Tally) throws -> String? {
    let second = try SecondOpinion.read(bytes)
    var ours = RequestTranscript(reading: bytes)
    if second.stoppedForUpgrade, second.requests.count < ours.requests.count {
      ours.requests.removeSubrange(second.requests.count...)
    }
    let secondComplete = second.requests.count { $0.isComplete }
    if ours.requests.count > second.requests.count || ours.completeCount > secondComplete {
      let disputed = ours.requests.count > second.requests.count ? second.requests.count : secondComplete
      guard let excuse = Self.excuse(for: ours.requests[disputed], in: bytes) else {
        return "only Sallyport reads \(ours.requests[disputed])\nllhttp reads \(second.requests)"
      }
      tally.excused[excuse, default: 0] += 1
      return nil
    }
    for (our, other) in zip(ours.requests, second.requests) where !Self.agree(our, other) {
      return "Sallyport reads \(our)\nllhttp reads \(other)"
    }
    switch (ours.failure != nil, second.refuses) {
    case (true, true): tally.bothRefuse += 1
    case (true, false): tally.onlySecondAccepts += 1
    case (false, _) where !ours.isBetweenMessages: tally.incomplete += 1
    case (false, _): tally.bothAccept += 1
    }
    return nil
  }

  /// Whether two readings of one request say the same, as far as both go.
  private static func agree(_ our: ReadRequest, _ other: ReadRequest) -> Bool {
    var (our, other) = (our, other)
    if !our.isComplete || !other.isComplete {
      let shared = min(our.body.count, other.body.count)
      our.body.removeSubrange(shared...)
      other.body.removeSubrange(shared...)
      (our.trailers, other.trailers) = ([], [])
      our.isComplete = other.isComplete
    }
    if our.keepsConnection != other.keepsConnection, SecondOpinion.judgesTheConnectionOtherwise(our.version, our.fields) {
      other.keepsConnection = our.keepsConnection
    }
    return our == other
  }

  /// Why Sallyport may read what llhttp refuses. The list is complete; everything else is a fault.
  private static func excuse(for request: ReadRequest, in bytes: [UInt8]) -> String? {
    if !SecondOpinion.methods.contains(request.method) {
      return "a method that llhttp does not know"
    }
    // What may stand in a target is kube-apiserver's to say, and Go takes both.
    if request.target.utf8.contains(where: { $0 >= 0x80 }) {
      return "a target with bytes above ASCII"
    }
    if request.target.wholeMatch(of: /[A-Za-z][-+.A-Za-z0-9]*:\/([^\/].*)?/) != nil {
      return "an absolute target without authority"
    }
    // RFC 9112 section 5 lets tabs stand around any value; llhttp takes only blanks around this one.
    if String(decoding: bytes, as: UTF8.self).contains(/(?i)content-length:[ \t]*[0-9]+[ \t]*\t/) {
      return "a tab behind Content-Length"
    }
    return nil
  }
}

extension [UInt8] {
  /// The bytes as a Swift literal, to be put among the regression cases.
  var quoted: String {
    "\""
      + self.map { byte in
        switch byte {
        case 0x0D: "\\r"
        case 0x0A: "\\n"
        case 0x22, 0x5C: "\\" + String(UnicodeScalar(byte))
        case 0x20...0x7E: String(UnicodeScalar(byte))
        default: "\\u{\(String(byte, radix: 16))}"
        }
      }.joined() + "\""
  }
}

import SallyportWire
import TestSupport
import Testing

/// Random responses, read by Sallyport and by llhttp: what both read, they must read alike, and Sallyport must read
/// nothing that llhttp refuses.
@Suite struct ResponseDifferentialTests {
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
      var (methods, bytes) = grammar.responses()
      var chance = Chance(seed: ~seed)
      if chance.once(in: 2) { Mutation.apply(to: &bytes, by: &chance) }
      if let complaint = try self.compare(bytes, answering: methods, ends: chance.once(in: 2), &tally) {
        tally.complaints.append("seed \(seed), answering \(methods): \(complaint)\n\(bytes.quoted)")
      }
    }
    print(
      "responses: \(fuzzCases) tried, \(tally.bothAccept) accepted by both, \(tally.bothRefuse) refused by both,",
      "\(tally.onlySecondAccepts) accepted by llhttp alone, \(tally.incomplete) not complete, excused \(tally.excused)")
    for complaint in tally.complaints.prefix(10) { Issue.record("\(complaint)") }
    #expect(tally.complaints.isEmpty)
    // The test says something only where both verdicts are frequent.
    #expect(tally.bothAccept > fuzzCases / 5)
    #expect(tally.bothRefuse > fuzzCases / 10)
    #expect(tally.onlySecondAccepts > fuzzCases / 100)
    #expect(tally.onlySecondAccepts < fuzzCases / 3)
  }

  /// What is wrong between the two readings, if anything is.
  private func compare(_ bytes: [UInt8], answering methods: [String], ends: Bool, _ tally: inout Tally) throws -> String? {
    let second = try SecondOpinion.read(bytes, answering: methods, ends: ends)
    let ours = ResponseTranscript(reading: bytes, answering: methods.map { SallyportWire.Method($0) }, ends: ends)
    let secondComplete = second.responses.count { $0.isComplete }
    if ours.responses.count > second.responses.count || ours.completeCount > secondComplete {
      let disputed = ours.responses.count > second.responses.count ? second.responses.count : secondComplete
      guard let excuse = Self.excuse(for: ours.responses[disputed], in: bytes) else {
        return "only Sallyport reads \(ours.responses[disputed])\nllhttp reads \(second.responses)"
      }
      tally.excused[excuse, default: 0] += 1
      return nil
    }
    var unanswered = methods[...]
    for (our, other) in zip(ours.responses, second.responses) {
      let answersHead = unanswered.first == "HEAD"
      if !our.isInformational { unanswered.removeFirst() }
      guard Self.agree(our, other, answersHead: answersHead) else { return "Sallyport reads \(our)\nllhttp reads \(other)" }
    }
    switch (ours.failure != nil, second.refuses) {
    case (true, true): tally.bothRefuse += 1
    case (true, false): tally.onlySecondAccepts += 1
    case (false, _) where ours.completeCount < ours.responses.count || ours.responses.isEmpty: tally.incomplete += 1
    case (false, _): tally.bothAccept += 1
    }
    return nil
  }

  /// Whether two readings of one response say the same, as far as both go.
  private static func agree(_ our: ReadResponse, _ other: ReadResponse, answersHead: Bool) -> Bool {
    var (our, other) = (our, other)
    if !our.isComplete || !other.isComplete {
      let shared = min(our.body.count, other.body.count)
      our.body.removeSubrange(shared...)
      other.body.removeSubrange(shared...)
      (our.trailers, other.trailers) = ([], [])
      our.isComplete = other.isComplete
    }
    // llhttp judges the connection before NIO tells it that an answer to HEAD has no body that the connection's end ends.
    if our.keepsConnection != other.keepsConnection,
      answersHead || SecondOpinion.judgesTheConnectionOtherwise(our.version, our.fields)
    {
      other.keepsConnection = our.keepsConnection
    }
    return our == other
  }

  /// Why Sallyport may read what llhttp refuses. The list is complete; everything else is a fault.
  private static func excuse(for response: ReadResponse, in bytes: [UInt8]) -> String? {
    // RFC 9112 section 5 lets tabs stand around any value; llhttp takes only blanks around this one.
    if String(decoding: bytes, as: UTF8.self).contains(/(?i)content-length:[ \t]*[0-9]+[ \t]*\t/) {
      return "a tab behind Content-Length"
    }
    return nil
  }
}

import SallyportWire
import TestSupport
import Testing

/// How the network cuts a message must not matter: fed whole, byte by byte and in random pieces, it is the same message
/// or the same fault.
@Suite struct SplitReadingTests {
  private let cases = UInt64(min(fuzzCases, 20_000) / 10)

  @Test func requestsReadTheSameHoweverTheyAreCut() {
    var complete = 0
    var refused = 0
    for seed in 0..<self.cases {
      var grammar = MessageGrammar(seed: seed &+ 1 << 32)
      var bytes = grammar.requests()
      var chance = Chance(seed: ~seed)
      if chance.once(in: 3) { Mutation.apply(to: &bytes, by: &chance) }
      let whole = RequestTranscript(reading: bytes)
      complete += whole.completeCount
      refused += whole.failure == nil ? 0 : 1
      #expect(RequestTranscript(reading: bytes, cutAt: Array(0...bytes.count)) == whole, "seed \(seed): \(bytes.quoted)")
      let cuts = chance.cuts(of: bytes.count, most: 6)
      #expect(RequestTranscript(reading: bytes, cutAt: cuts) == whole, "seed \(seed), cut at \(cuts): \(bytes.quoted)")
    }
    #expect(complete > Int(self.cases) / 2)
    #expect(refused > Int(self.cases) / 10)
  }

  @Test func responsesReadTheSameHoweverTheyAreCut() {
    var complete = 0
    var refused = 0
    for seed in 0..<self.cases {
      var grammar = MessageGrammar(seed: seed &+ 1 << 32)
      var (names, bytes) = grammar.responses()
      let methods = names.map { SallyportWire.Method($0) }
      var chance = Chance(seed: ~seed)
      if chance.once(in: 3) { Mutation.apply(to: &bytes, by: &chance) }
      let whole = ResponseTranscript(reading: bytes, answering: methods, ends: true)
      complete += whole.completeCount
      refused += whole.failure == nil ? 0 : 1
      let dripped = ResponseTranscript(reading: bytes, answering: methods, cutAt: Array(0...bytes.count), ends: true)
      #expect(dripped == whole, "seed \(seed): \(bytes.quoted)")
      let cuts = chance.cuts(of: bytes.count, most: 6)
      let cut = ResponseTranscript(reading: bytes, answering: methods, cutAt: cuts, ends: true)
      #expect(cut == whole, "seed \(seed), cut at \(cuts): \(bytes.quoted)")
    }
    #expect(complete > Int(self.cases) / 2)
    #expect(refused > Int(self.cases) / 10)
  }
}

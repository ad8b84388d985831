/// What a file's first and last record say of its place in the series.
struct FileEnds {
  let number: UInt64
  /// The link that the first record goes on from.
  let opening: ChainValue
  let opened: WallTime
  /// Where the file ends.
  let chain: Chain

  /// - Returns: `nil` where the lines are not those of a file of this log
  init?(first: [UInt8], last: [UInt8]) {
    let header = first.withUnsafeBytes { line -> (UInt64, ChainValue, WallTime)? in
      guard let facts = EventFacts(line), facts.kind == .fileOpened, let number = facts.number("file"),
        let opening = facts.chain("previous-chain"), let opened = line.stageTimestamp
      else { return nil }
      return (number, opening, opened)
    }
    let end = last.withUnsafeBytes { SealedLine($0).map { Chain(value: $0.value, sequence: $0.sequence) } }
    guard let header, let end else { return nil }
    (self.number, self.opening, self.opened) = header
    self.chain = end
  }
}

extension UnsafeRawBufferPointer {
  /// When the stage of a record was reached.
  package var stageTimestamp: WallTime? {
    guard let start = self.end(of: #"","stageTimestamp":""#), start + 27 <= self.count else { return nil }
    return WallTime(UnsafeRawBufferPointer(rebasing: self[start..<(start + 27)]))
  }
}

/// Words and their numbers: what many rules name is compared once for a request, and from then on as a number.
///
/// The table is made of the operator's files and only asked by clients, so that nobody can crowd it: a plain hash over the
/// bytes will do, and a look-up makes no string and no array.
struct WordTable: ~Copyable, Sendable {
  private let bytes: FrozenArray<UInt8>
  /// Where each word ends in `bytes`; it begins where the one before ends.
  private let ends: FrozenArray<Int32>
  /// Open addressing over a power of two; the word's number plus one, 0 for a free place.
  private let slots: FrozenArray<Int32>
  private let foldsCase: Bool

  /// A table that words are still put into.
  struct Draft: Sendable {
    private let foldsCase: Bool
    private var numbers: [[UInt8]: Int32] = [:]
    fileprivate private(set) var bytes: [UInt8] = []
    fileprivate private(set) var ends: [Int32] = []

    /// - Parameter foldsCase: whether ASCII letters are the same in both cases
    init(foldsCase: Bool = false) { self.foldsCase = foldsCase }

    /// The word's number, which it gets now if it is new.
    @discardableResult
    mutating func insert(_ word: String) -> Int32 {
      let word = word.utf8.map { WordTable.fold($0, self.foldsCase) }
      if let known = self.numbers[word] { return known }
      let number = Int32(self.ends.count)
      self.numbers[word] = number
      self.bytes += word
      self.ends.append(Int32(self.bytes.count))
      return number
    }

    fileprivate var folds: Bool { self.foldsCase }
  }

  init(_ draft: Draft) {
    var size = 2
    while size < draft.ends.count * 2 { size *= 2 }
    var slots = [Int32](repeating: 0, count: size)
    var start = 0
    for (number, end) in draft.ends.enumerated() {
      let hash = draft.bytes[start..<Int(end)].withUnsafeBufferPointer { Self.hash($0, draft.folds) }
      var slot = Int(truncatingIfNeeded: hash) & (size - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (size - 1) }
      slots[slot] = Int32(number) + 1
      start = Int(end)
    }
    self.bytes = FrozenArray(draft.bytes)
    self.ends = FrozenArray(draft.ends)
    self.slots = FrozenArray(slots)
    self.foldsCase = draft.folds
  }

  /// The word's number; `nil` for a word that is not in the table.
  func id(of word: String) -> Int32? {
    guard self.ends.count > 0 else { return nil }
    return word.utf8.withContiguousStorageIfAvailable { self.id(of: $0) } ?? Array(word.utf8).withUnsafeBufferPointer { self.id(of: $0) }
  }

  func id(of word: UnsafeBufferPointer<UInt8>) -> Int32? {
    let mask = self.slots.count - 1
    var slot = Int(truncatingIfNeeded: Self.hash(word, self.foldsCase)) & mask
    while true {
      let id = self.slots[slot] - 1
      // Half of the places are free.
      guard id >= 0 else { return nil }
      if self.isWord(Int(id), word) { return id }
      slot = (slot + 1) & mask
    }
  }

  private func isWord(_ id: Int, _ word: UnsafeBufferPointer<UInt8>) -> Bool {
    let start = id == 0 ? 0 : Int(self.ends[id - 1])
    guard Int(self.ends[id]) - start == word.count else { return false }
    guard self.foldsCase else { return self.bytes.has(word, at: start) }
    for index in 0..<word.count where self.bytes[start + index] != Self.fold(word[index], self.foldsCase) { return false }
    return true
  }

  /// Eight bytes at a time, each eight mixed by a multiplication whose high bits come down to the low ones that choose the place.
  private static func hash(_ word: UnsafeBufferPointer<UInt8>, _ foldsCase: Bool) -> UInt64 {
    let bytes = UnsafeRawBufferPointer(word)
    var hash = UInt64(truncatingIfNeeded: bytes.count) ^ 0xCBF2_9CE4_8422_2325
    var start = 0
    if !foldsCase {
      while bytes.count - start >= 8 {
        hash = Self.mix(hash ^ bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self))
        start += 8
      }
    }
    var rest: UInt64 = 0
    if !foldsCase, bytes.count >= 4 {
      // The last eight, or the first and the last four: some bytes twice is as good, and no loop.
      let last = bytes.count >= 8 ? bytes.count - 8 : bytes.count - 4
      rest =
        bytes.count >= 8
        ? bytes.loadUnaligned(fromByteOffset: last, as: UInt64.self)
        : UInt64(bytes.loadUnaligned(as: UInt32.self)) << 32 | UInt64(bytes.loadUnaligned(fromByteOffset: last, as: UInt32.self))
      return Self.mix(hash ^ rest)
    }
    for index in start..<bytes.count {
      rest = rest << 8 | UInt64(Self.fold(bytes[index], foldsCase))
      if (index - start) & 7 == 7 {
        hash = Self.mix(hash ^ rest)
        rest = 0
      }
    }
    return Self.mix(hash ^ rest)
  }

  @inline(__always)
  private static func mix(_ value: UInt64) -> UInt64 {
    let product = value &* 0x9E37_79B9_7F4A_7C15
    return product ^ product >> 32
  }

  @inline(__always)
  private static func fold(_ byte: UInt8, _ foldsCase: Bool) -> UInt8 {
    foldsCase && byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
  }
}

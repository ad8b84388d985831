/// Words and their numbers: what many rules name is compared once for a request, and from then on as a number.
///
/// The table is made of the operator's files and only asked by clients, so that nobody can crowd it: a plain hash over the
/// bytes will do, and a look-up makes no string and no array.
struct WordTable: Sendable {
  private var bytes: [UInt8] = []
  /// Where each word ends in `bytes`; it begins where the one before ends.
  private var ends: [Int32] = []
  /// Open addressing over a power of two; the word's number plus one, 0 for a free place.
  private var slots: [Int32] = [0]
  private let foldsCase: Bool

  /// - Parameter foldsCase: whether ASCII letters are the same in both cases
  init(_ words: some Sequence<String> = [], foldsCase: Bool = false) {
    self.foldsCase = foldsCase
    for word in words { self.insert(word) }
  }

  var count: Int { self.ends.count }

  /// The word's number, which it gets now if it is new.
  @discardableResult
  mutating func insert(_ word: String) -> Int32 {
    if let known = self.id(of: word) { return known }
    if (self.count + 1) * 2 > self.slots.count { self.grow() }
    self.bytes.append(contentsOf: word.utf8)
    self.ends.append(Int32(self.bytes.count))
    let id = Int32(self.count - 1)
    self.place(id)
    return id
  }

  /// The word's number; `nil` for a word that is not in the table.
  func id(of word: String) -> Int32? {
    guard !self.ends.isEmpty else { return nil }
    return word.utf8.withContiguousStorageIfAvailable(self.id(of:)) ?? Array(word.utf8).withUnsafeBufferPointer(self.id(of:))
  }

  func id(of word: UnsafeBufferPointer<UInt8>) -> Int32? {
    let mask = self.slots.count - 1
    var slot = Int(truncatingIfNeeded: self.hash(word)) & mask
    while self.slots[slot] != 0 {
      let id = self.slots[slot] - 1
      if self.isWord(id, word) { return id }
      slot = (slot + 1) & mask
    }
    return nil
  }

  private mutating func grow() {
    self.slots = [Int32](repeating: 0, count: max(8, self.slots.count * 2))
    for id in 0..<Int32(self.count) { self.place(id) }
  }

  private mutating func place(_ id: Int32) {
    let mask = self.slots.count - 1
    let range = self.range(of: id)
    let hash = self.bytes.withUnsafeBufferPointer { self.hash(UnsafeBufferPointer(rebasing: $0[range])) }
    var slot = Int(truncatingIfNeeded: hash) & mask
    while self.slots[slot] != 0 { slot = (slot + 1) & mask }
    self.slots[slot] = id + 1
  }

  private func range(of id: Int32) -> Range<Int> {
    (id == 0 ? 0 : Int(self.ends[Int(id) - 1]))..<Int(self.ends[Int(id)])
  }

  private func isWord(_ id: Int32, _ word: UnsafeBufferPointer<UInt8>) -> Bool {
    let range = self.range(of: id)
    guard range.count == word.count else { return false }
    return self.bytes.withUnsafeBufferPointer { bytes in
      let known = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[range]))
      if !self.foldsCase { return known.elementsEqual(UnsafeRawBufferPointer(word)) }
      for index in 0..<word.count where self.fold(known[index]) != self.fold(word[index]) { return false }
      return true
    }
  }

  /// Eight bytes at a time, each eight mixed by a multiplication whose high bits come down to the low ones that choose the place.
  private func hash(_ word: UnsafeBufferPointer<UInt8>) -> UInt64 {
    let bytes = UnsafeRawBufferPointer(word)
    var hash = UInt64(truncatingIfNeeded: bytes.count) ^ 0xCBF2_9CE4_8422_2325
    var start = 0
    if !self.foldsCase {
      while bytes.count - start >= 8 {
        hash = Self.mix(hash ^ bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self))
        start += 8
      }
    }
    var rest: UInt64 = 0
    for index in start..<bytes.count {
      rest = rest << 8 | UInt64(self.fold(bytes[index]))
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
  private func fold(_ byte: UInt8) -> UInt8 {
    self.foldsCase && byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
  }
}

/// Finds a ``KnownField`` by length and folded bytes.
///
/// All names stand one behind the other in one array, and what is looked through are numbers: a look-up counts no
/// references, however many candidates it compares.
struct FieldNameTable: Sendable {
  static let shared = FieldNameTable()

  private struct Candidate: Sendable {
    /// Where the name begins in ``folded``.
    let start: Int
    let length: Int
    /// The name's last byte, which tells most names of one length apart.
    let last: UInt8
    let field: KnownField
  }

  private let folded: [UInt8]
  /// Exact names, the shorter first.
  private let exact: [Candidate]
  /// Where the names of each length stand in ``exact``; the longest known name is below 32 bytes.
  private let exactOfLength: [Range<Int>]
  /// Prefix families, the longer prefix first, so that `X-Remote-Extra-` wins over `X-Remote-`.
  private let prefixes: [Candidate]

  private init() {
    var folded: [UInt8] = []
    var candidates: [Candidate] = []
    for field in KnownField.allCases {
      let name = field.name.utf8.map(NameFolding.fold)
      candidates.append(Candidate(start: folded.count, length: name.count, last: name[name.count - 1], field: field))
      folded += name
    }
    let exact = candidates.filter { !$0.field.isFamily }.sorted { $0.length < $1.length }
    self.folded = folded
    self.exact = exact
    self.exactOfLength = (0..<32).map { length in
      let start = exact.firstIndex { $0.length >= length } ?? exact.count
      return start..<(exact[start...].firstIndex { $0.length > length } ?? exact.count)
    }
    self.prefixes = candidates.filter(\.field.isFamily).sorted { $0.length > $1.length }
  }

  func find(_ name: UnsafeRawBufferPointer) -> KnownField? {
    if name.count < self.exactOfLength.count {
      guard let last = name.last.map(NameFolding.fold) else { return nil }
      for index in self.exactOfLength[name.count] where self.exact[index].last == last && self.isPrefix(self.exact[index], of: name) {
        return Self.admit(self.exact[index].field, spelled: name)
      }
    }
    // Only names that begin with `i` or `x` belong to a family; most fields leave here.
    guard let first = name.first, first | 0x20 == UInt8(ascii: "x") || first | 0x20 == UInt8(ascii: "i") else { return nil }
    for candidate in self.prefixes where name.count >= candidate.length && self.isPrefix(candidate, of: name) {
      return candidate.field
    }
    return nil
  }

  /// `_`, `.` and whatever else a name may have stand for `-` only where mistaking them would let a client say who it is.
  private static func admit(_ field: KnownField, spelled name: UnsafeRawBufferPointer) -> KnownField? {
    field.isIdentity || NameFolding.isSpelledAsDefined(name) ? field : nil
  }

  /// Whether `name`, which is long enough, begins with the candidate's.
  private func isPrefix(_ candidate: Candidate, of name: UnsafeRawBufferPointer) -> Bool {
    for offset in 0..<candidate.length where NameFolding.fold(name[offset]) != self.folded[candidate.start + offset] {
      return false
    }
    return true
  }
}

import SallyportCore

/// A user as `authentication.k8s.io/v1` writes one: `{username, uid, groups, extra}`, empty members left out.
struct AuditedUser {
  let username: String
  let uid: String?
  let groups: [String]
  let extra: [Identity.Extra]

  /// - Returns: whether something was cut
  func encode(into line: inout LineBytes) -> Bool {
    line.write(#"{"username":""#)
    var isCut = line.writeText(self.username, limit: RecordLimits.name)
    if let uid = self.uid, !uid.isEmpty {
      line.write(#"","uid":""#)
      isCut = line.writeText(uid, limit: RecordLimits.name) || isCut
    }
    line.write("\"")
    isCut = self.encodeGroups(into: &line) || isCut
    isCut = self.encodeExtra(into: &line) || isCut
    line.write("}")
    return isCut
  }

  private func encodeGroups(into line: inout LineBytes) -> Bool {
    guard !self.groups.isEmpty else { return false }
    var budget = ListBudget(entries: RecordLimits.groups)
    var isFirst = true
    line.write(#","groups":["#)
    for group in self.groups {
      guard budget.take(group) else { break }
      line.write(isFirst ? "\"" : ",\"")
      budget.note(cut: line.writeText(group, limit: RecordLimits.name))
      line.write("\"")
      isFirst = false
    }
    line.write("]")
    return budget.isCut
  }

  private func encodeExtra(into line: inout LineBytes) -> Bool {
    guard !self.extra.isEmpty else { return false }
    var budget = ListBudget(entries: RecordLimits.extraKeys)
    var isFirst = true
    line.write(#","extra":{"#)
    for (index, entry) in self.extra.enumerated() {
      // A JSON reader keeps one member of each name: the values of a key that comes again stand where it came first.
      guard !self.extra[..<index].contains(where: { Self.isSame($0.key, entry.key) }) else { continue }
      guard budget.take(entry.key) else { break }
      line.write(isFirst ? "\"" : ",\"")
      budget.note(cut: line.writeText(entry.key, limit: RecordLimits.name))
      line.write("\":[")
      self.encodeValues(of: entry.key, from: index, into: &line, budget: &budget)
      line.write("]")
      isFirst = false
    }
    line.write("}")
    return budget.isCut
  }

  private func encodeValues(of key: String, from index: Int, into line: inout LineBytes, budget: inout ListBudget) {
    var isFirst = true
    for entry in self.extra[index...] where Self.isSame(entry.key, key) {
      for value in entry.values {
        guard budget.takeBytes(of: value) else { return }
        line.write(isFirst ? "\"" : ",\"")
        budget.note(cut: line.writeText(value, limit: RecordLimits.name))
        line.write("\"")
        isFirst = false
      }
    }
  }

  /// Whether two keys are one in the record. Their bytes count, not what Unicode holds equal; and only those shown.
  private static func isSame(_ left: String, _ right: String) -> Bool {
    left.withBytes { left in
      right.withBytes { right in
        left[..<left.cutLength(RecordLimits.name)].elementsEqual(right[..<right.cutLength(RecordLimits.name)])
      }
    }
  }
}

/// How much of a list still goes into a record.
private struct ListBudget {
  private var entries: Int
  private var bytes = RecordLimits.listBytes
  private(set) var isCut = false

  init(entries: Int) { self.entries = entries }

  /// Takes room for one more entry that begins with this text.
  mutating func take(_ text: String) -> Bool {
    guard self.entries > 0, self.takeBytes(of: text) else {
      self.isCut = true
      return false
    }
    self.entries -= 1
    return true
  }

  mutating func takeBytes(of text: String) -> Bool {
    // Something is counted for an empty text, too: its quotes are bytes of the log.
    let length = min(text.utf8.count, RecordLimits.name) + 4
    guard length <= self.bytes else {
      self.isCut = true
      return false
    }
    self.bytes -= length
    return true
  }

  mutating func note(cut: Bool) { self.isCut = self.isCut || cut }
}

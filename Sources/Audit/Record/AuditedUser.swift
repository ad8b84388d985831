import NIOCore
import SallyportCore

/// A user as `authentication.k8s.io/v1` writes one: `{username, uid, groups, extra}`, empty members left out.
struct AuditedUser {
  let username: String
  let uid: String?
  let groups: [String]
  let extra: [Identity.Extra]

  /// - Returns: whether something was cut
  func encode(into buffer: inout ByteBuffer) -> Bool {
    buffer.writeStaticString(#"{"username":""#)
    var isCut = buffer.writeText(self.username, limit: RecordLimits.name)
    if let uid = self.uid, !uid.isEmpty {
      buffer.writeStaticString(#"","uid":""#)
      isCut = buffer.writeText(uid, limit: RecordLimits.name) || isCut
    }
    buffer.writeStaticString("\"")
    isCut = self.encodeGroups(into: &buffer) || isCut
    isCut = self.encodeExtra(into: &buffer) || isCut
    buffer.writeStaticString("}")
    return isCut
  }

  private func encodeGroups(into buffer: inout ByteBuffer) -> Bool {
    guard !self.groups.isEmpty else { return false }
    var budget = ListBudget(entries: RecordLimits.groups)
    var isFirst = true
    buffer.writeStaticString(#","groups":["#)
    for group in self.groups {
      guard budget.take(group) else { break }
      buffer.writeStaticString(isFirst ? "\"" : ",\"")
      budget.note(cut: buffer.writeText(group, limit: RecordLimits.name))
      buffer.writeStaticString("\"")
      isFirst = false
    }
    buffer.writeStaticString("]")
    return budget.isCut
  }

  private func encodeExtra(into buffer: inout ByteBuffer) -> Bool {
    guard !self.extra.isEmpty else { return false }
    var budget = ListBudget(entries: RecordLimits.extraKeys)
    var isFirst = true
    buffer.writeStaticString(#","extra":{"#)
    for (index, entry) in self.extra.enumerated() {
      // A JSON reader keeps one member of each name: the values of a key that comes again stand where it came first.
      guard !self.extra[..<index].contains(where: { Self.isSame($0.key, entry.key) }) else { continue }
      guard budget.take(entry.key) else { break }
      buffer.writeStaticString(isFirst ? "\"" : ",\"")
      budget.note(cut: buffer.writeText(entry.key, limit: RecordLimits.name))
      buffer.writeStaticString("\":[")
      self.encodeValues(of: entry.key, from: index, into: &buffer, budget: &budget)
      buffer.writeStaticString("]")
      isFirst = false
    }
    buffer.writeStaticString("}")
    return budget.isCut
  }

  private func encodeValues(of key: String, from index: Int, into buffer: inout ByteBuffer, budget: inout ListBudget) {
    var isFirst = true
    for entry in self.extra[index...] where Self.isSame(entry.key, key) {
      for value in entry.values {
        guard budget.takeBytes(of: value) else { return }
        buffer.writeStaticString(isFirst ? "\"" : ",\"")
        budget.note(cut: buffer.writeText(value, limit: RecordLimits.name))
        buffer.writeStaticString("\"")
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

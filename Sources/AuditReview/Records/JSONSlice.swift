import Foundation
import SallyportAudit

/// A value inside a line of JSON (RFC 8259), found without decoding anything that nobody asks for.
///
/// It is good as long as the line is. What is no JSON is not noticed where nobody looks; a reader of the log wants a field,
/// and `verify` says whether the line is the one that was written.
struct JSONSlice {
  let bytes: UnsafeRawBufferPointer

  /// Calls `body` with every member of an object, until it returns `false`.
  ///
  /// - Returns: `false` where this is no object, or one that is broken
  @discardableResult
  func forEachMember(_ body: (_ key: UnsafeRawBufferPointer, _ value: JSONSlice) -> Bool) -> Bool {
    var position = self.skipBlanks(0)
    guard self.has("{", at: position) else { return false }
    position = self.skipBlanks(position + 1)
    if self.has("}", at: position) { return true }
    while true {
      guard self.has("\"", at: position), let keyEnd = self.endOfString(position) else { return false }
      let key = UnsafeRawBufferPointer(rebasing: self.bytes[(position + 1)..<(keyEnd - 1)])
      position = self.skipBlanks(keyEnd)
      guard self.has(":", at: position) else { return false }
      let start = self.skipBlanks(position + 1)
      guard let end = self.endOfValue(start) else { return false }
      if !body(key, JSONSlice(bytes: UnsafeRawBufferPointer(rebasing: self.bytes[start..<end]))) { return true }
      position = self.skipBlanks(end)
      if self.has("}", at: position) { return true }
      guard self.has(",", at: position) else { return false }
      position = self.skipBlanks(position + 1)
    }
  }

  /// The value of a member; `nil` where there is none.
  func member(_ name: StaticString) -> JSONSlice? {
    var found: JSONSlice?
    self.forEachMember { key, value in
      guard key.isText(name) else { return true }
      found = value
      return false
    }
    return found
  }

  /// The items of an array.
  var items: [JSONSlice] {
    var position = self.skipBlanks(0)
    guard self.has("[", at: position) else { return [] }
    position = self.skipBlanks(position + 1)
    var items: [JSONSlice] = []
    while position < self.bytes.count, !self.has("]", at: position) {
      guard let end = self.endOfValue(position) else { return items }
      items.append(JSONSlice(bytes: UnsafeRawBufferPointer(rebasing: self.bytes[position..<end])))
      position = self.skipBlanks(end)
      if self.has(",", at: position) { position = self.skipBlanks(position + 1) }
    }
    return items
  }

  /// The text of a string.
  var text: String? {
    guard self.bytes.count >= 2, self.has("\"", at: 0), self.bytes.last == UInt8(ascii: "\"") else { return nil }
    let inner = UnsafeRawBufferPointer(rebasing: self.bytes[1..<(self.bytes.count - 1)])
    guard inner.contains(UInt8(ascii: "\\")) else { return String(decoding: inner, as: UTF8.self) }
    return (try? JSONSerialization.jsonObject(with: Data(self.bytes), options: .fragmentsAllowed)) as? String
  }

  var number: Int? { Int(String(decoding: self.bytes, as: UTF8.self)) }

  // MARK: -

  private func has(_ byte: Unicode.Scalar, at position: Int) -> Bool {
    position < self.bytes.count && self.bytes[position] == UInt8(ascii: byte)
  }

  private func skipBlanks(_ start: Int) -> Int {
    var position = start
    while position < self.bytes.count, self.bytes[position] == 0x20 || self.bytes[position] == 0x09 { position += 1 }
    return position
  }

  /// Behind the closing quote of the string that begins at `start`.
  private func endOfString(_ start: Int) -> Int? {
    var position = start + 1
    while position < self.bytes.count {
      switch self.bytes[position] {
      case UInt8(ascii: "\""): return position + 1
      case UInt8(ascii: "\\"): position += 2
      default: position += 1
      }
    }
    return nil
  }

  private func endOfValue(_ start: Int) -> Int? {
    guard start < self.bytes.count else { return nil }
    switch self.bytes[start] {
    case UInt8(ascii: "\""): return self.endOfString(start)
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      var depth = 0
      var position = start
      while position < self.bytes.count {
        switch self.bytes[position] {
        case UInt8(ascii: "\""):
          guard let end = self.endOfString(position) else { return nil }
          position = end
          continue
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
          depth -= 1
          if depth == 0 { return position + 1 }
        default: break
        }
        position += 1
      }
      return nil
    default:
      var position = start
      while position < self.bytes.count, !",]} \t".utf8.contains(self.bytes[position]) { position += 1 }
      return position
    }
  }
}

extension UnsafeRawBufferPointer {
  func isText(_ text: StaticString) -> Bool {
    self.count == text.utf8CodeUnitCount && memcmp(self.baseAddress!, text.utf8Start, self.count) == 0  // no text is empty
  }
}

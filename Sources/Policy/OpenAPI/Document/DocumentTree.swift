/// A JSON or YAML document as one flat list of values in their order, 16 bytes each: no dictionary, no boxed object, no
/// string that nobody asks for. Text is a range of the document's own bytes, unless it had escapes.
///
/// An object is followed by its keys, each followed by its value; every container knows where it ends, so whatever lies
/// below a value is a range of the list.
final class DocumentTree: Sendable {
  enum Kind: UInt8, Sendable {
    case object, array, key, text, number, boolean, null
  }

  struct Value: Sendable {
    /// Where the text begins, in `source` or in `decoded`.
    var start: UInt32
    /// The text's bytes; of a container the number of its members.
    var count: UInt32
    /// The index behind the value and everything below it.
    var next: UInt32
    var kind: Kind
    var isDecoded: Bool
  }

  private let source: [UInt8]
  private let decoded: [UInt8]
  let values: [Value]

  init(source: [UInt8], decoded: [UInt8], values: [Value]) {
    self.source = source
    self.decoded = decoded
    self.values = values
  }

  var root: DocumentValue { DocumentValue(tree: self, index: 0) }

  /// The bytes of a key, a text or a number.
  func bytes(at index: Int) -> ArraySlice<UInt8> {
    let value = self.values[index]
    let range = Int(value.start)..<Int(value.start) + Int(value.count)
    return value.isDecoded ? self.decoded[range] : self.source[range]
  }

  func bytes(at index: Int, equal text: StaticString) -> Bool {
    guard Int(self.values[index].count) == text.utf8CodeUnitCount else { return false }
    let bytes = self.bytes(at: index)
    return text.withUTF8Buffer { bytes.elementsEqual($0) }
  }

  /// Where a value stands. It takes the time of a search from the root: only faults need it.
  func pointer(to target: Int) -> JSONPointer {
    var tokens: [String] = []
    var index = 0
    descend: while index < target {
      let container = self.values[index]
      var child = index + 1
      var number = 0
      while child < Int(container.next) {
        // A key and its value belong together.
        let value = container.kind == .object ? child + 1 : child
        let end = Int(self.values[value].next)
        if target < end {
          tokens.append(container.kind == .object ? String(decoding: self.bytes(at: child), as: UTF8.self) : String(number))
          if target <= value { break descend }
          index = value
          continue descend
        }
        child = end
        number += 1
      }
      break
    }
    return JSONPointer(tokens: tokens)
  }
}

/// One value of a tree, and the way to those below it.
struct DocumentValue: Sendable {
  let tree: DocumentTree
  let index: Int

  private var value: DocumentTree.Value { self.tree.values[self.index] }

  var kind: DocumentTree.Kind { self.value.kind }
  var pointer: JSONPointer { self.tree.pointer(to: self.index) }
  /// The indices of the value and of everything below it.
  var range: Range<Int> { self.index..<Int(self.value.next) }
  /// How many members an object or array has.
  var count: Int { self.kind == .object || self.kind == .array ? Int(self.value.count) : 0 }

  /// The text; `nil` for a value of any other kind.
  var text: String? { self.kind == .text ? self.spelling : nil }
  /// A text or number as it is spelled.
  var spelling: String { String(decoding: self.tree.bytes(at: self.index), as: UTF8.self) }

  /// A member of an object; `nil` where there is none, and for a value that is no object.
  subscript(_ key: StaticString) -> DocumentValue? {
    guard self.kind == .object else { return nil }
    var member = self.index + 1
    while member < Int(self.value.next) {
      if self.tree.bytes(at: member, equal: key) { return DocumentValue(tree: self.tree, index: member + 1) }
      member = Int(self.tree.values[member + 1].next)
    }
    return nil
  }

  /// The members of an object; none for a value of any other kind.
  var members: Members { Members(tree: self.tree, index: self.index, isObject: self.kind == .object) }

  /// The elements of an array; none for a value of any other kind.
  var elements: [DocumentValue] {
    guard self.kind == .array else { return [] }
    var elements: [DocumentValue] = []
    var element = self.index + 1
    while element < Int(self.value.next) {
      elements.append(DocumentValue(tree: self.tree, index: element))
      element = Int(self.tree.values[element].next)
    }
    return elements
  }

  struct Member {
    fileprivate let tree: DocumentTree
    fileprivate let keyIndex: Int

    var keyBytes: ArraySlice<UInt8> { self.tree.bytes(at: self.keyIndex) }
    var key: String { String(decoding: self.keyBytes, as: UTF8.self) }
    var value: DocumentValue { DocumentValue(tree: self.tree, index: self.keyIndex + 1) }
  }

  struct Members: Sequence, IteratorProtocol {
    private let tree: DocumentTree
    private var key: Int
    private let end: Int

    fileprivate init(tree: DocumentTree, index: Int, isObject: Bool) {
      self.tree = tree
      self.key = index + 1
      self.end = isObject ? Int(tree.values[index].next) : 0
    }

    mutating func next() -> Member? {
      guard self.key < self.end else { return nil }
      defer { self.key = Int(self.tree.values[self.key + 1].next) }
      return Member(tree: self.tree, keyIndex: self.key)
    }
  }
}

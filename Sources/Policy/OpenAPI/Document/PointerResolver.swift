/// Finds what pointers lead to. Large objects are indexed when they are first searched, so that a document of a hundred
/// thousand references costs a hundred thousand steps.
struct PointerResolver {
  private let root: DocumentValue
  /// The members of large objects by their keys, by the objects' indices.
  private var members: [Int: [String: Int]] = [:]
  private static let large = 16

  init(root: DocumentValue) { self.root = root }

  /// - Returns: `nil` where there is nothing, and for the elements of arrays, where nothing lies that is read here
  mutating func value(at pointer: JSONPointer) -> DocumentValue? {
    var value = self.root
    for token in pointer.tokens {
      guard let member = self.member(token, of: value) else { return nil }
      value = member
    }
    return value
  }

  private mutating func member(_ key: String, of object: DocumentValue) -> DocumentValue? {
    guard object.kind == .object else { return nil }
    guard object.count > Self.large else { return object.members.first { $0.keyBytes.elementsEqual(key.utf8) }?.value }
    if self.members[object.index] == nil {
      self.members[object.index] = Dictionary(object.members.map { ($0.key, $0.value.index) }) { first, _ in first }
    }
    return self.members[object.index]?[key].map { DocumentValue(tree: object.tree, index: $0) }
  }
}

/// Builds a ``DocumentTree`` of what a reader finds, in the order of the document, and holds it to its limits.
///
/// A key that stands twice in one object is a fault: readers differ in which of the two they believe.
struct DocumentTreeBuilder {
  /// What is wrong, at the place that the builder has come to.
  struct Failure: Error, Equatable {
    let message: String
  }

  private let source: [UInt8]
  private let limits: OpenAPILimits
  private var decoded: [UInt8] = []
  private var values: [DocumentTree.Value] = []
  /// The indices of the containers around the place, the outermost first.
  private var open: [Int] = []

  init(source: [UInt8], limits: OpenAPILimits) {
    self.source = source
    self.limits = limits
    self.values.reserveCapacity(min(source.count / 20, limits.values))
  }

  /// Where the building has come to.
  var pointer: JSONPointer {
    var tokens: [String] = []
    for (depth, container) in self.open.enumerated() {
      // Of an open container, the last key or element is the one that holds the place.
      guard self.values[container].kind == .object else {
        tokens.append(String(max(1, Int(self.values[container].count)) - 1))
        continue
      }
      let key = depth + 1 < self.open.count ? self.open[depth + 1] - 1 : self.lastKey(of: container)
      if let key { tokens.append(String(decoding: self.bytes(at: key), as: UTF8.self)) }
    }
    return JSONPointer(tokens: tokens)
  }

  mutating func begin(_ kind: DocumentTree.Kind) throws(Failure) {
    guard self.open.count < self.limits.depth else {
      throw Failure(message: "is nested deeper than \(self.limits.depth) levels")
    }
    try self.append(kind, start: 0, count: 0, isDecoded: false)
    self.open.append(self.values.count - 1)
  }

  mutating func end() throws(Failure) {
    guard let container = self.open.popLast() else { return }
    self.values[container].next = UInt32(self.values.count)
    if self.values[container].kind == .object { try self.refuseRepeatedKeys(of: container) }
  }

  /// A value, or the key of the next, whose text stands in the source.
  mutating func add(_ kind: DocumentTree.Kind, source range: Range<Int>) throws(Failure) {
    try self.append(kind, start: range.lowerBound, count: range.count, isDecoded: false)
  }

  /// A value, or the key of the next, whose text is not in the source as it reads.
  mutating func add(_ kind: DocumentTree.Kind, decoded bytes: some Collection<UInt8>) throws(Failure) {
    // The list of decoded text is bounded by the source, or by the YAML document that it was read from.
    try self.append(kind, start: self.decoded.count, count: bytes.count, isDecoded: true)
    self.decoded.append(contentsOf: bytes)
  }

  func build() -> DocumentTree { DocumentTree(source: self.source, decoded: self.decoded, values: self.values) }

  private mutating func append(_ kind: DocumentTree.Kind, start: Int, count: Int, isDecoded: Bool) throws(Failure) {
    guard self.values.count < self.limits.values else { throw Failure(message: "holds more than \(self.limits.values) values") }
    if let container = self.open.last, kind == .key || self.values[container].kind == .array { self.values[container].count += 1 }
    self.values.append(
      .init(
        start: UInt32(truncatingIfNeeded: start), count: UInt32(truncatingIfNeeded: count), next: UInt32(self.values.count + 1),
        kind: kind, isDecoded: isDecoded))
  }

  private func bytes(at index: Int) -> ArraySlice<UInt8> {
    let value = self.values[index]
    let range = Int(value.start)..<Int(value.start) + Int(value.count)
    return value.isDecoded ? self.decoded[range] : self.source[range]
  }

  /// The last key of an object whose members are complete, but perhaps for the value of that key.
  private func lastKey(of object: Int) -> Int? {
    var last: Int?
    var key = object + 1
    while key < self.values.count {
      last = key
      guard key + 1 < self.values.count else { break }
      key = Int(self.values[key + 1].next)
    }
    return last
  }

  private func refuseRepeatedKeys(of object: Int) throws(Failure) {
    guard self.values[object].count > 1 else { return }
    var seen = Set<ArraySlice<UInt8>>(minimumCapacity: Int(self.values[object].count))
    var key = object + 1
    while key < self.values.count {
      let bytes = self.bytes(at: key)
      guard seen.insert(bytes).inserted else {
        let name = OpenAPIFault.printable(String(decoding: bytes, as: UTF8.self), atMost: 64)
        throw Failure(message: "has the key `\(name)` twice")
      }
      key = Int(self.values[key + 1].next)
    }
  }
}

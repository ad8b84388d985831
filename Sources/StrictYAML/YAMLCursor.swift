/// Why a value could not be understood: the words for a ``FileFault``, without the value itself.
public struct ValueFault: Error, Sendable, Hashable {
  /// What is wrong, as the predicate of a sentence: `is not a duration`.
  public let problem: String
  /// What would be right, as an instruction: `write a number and a unit, as in 30s`.
  public let remedy: String

  public init(_ problem: String, _ remedy: String) {
    self.problem = problem
    self.remedy = remedy
  }
}

/// A value in a document, at its place.
///
/// Every method turns it into a Swift value, or records a fault and returns `nil`: whoever gets `nil` has nothing to say
/// and goes on with the next key, so that all faults are found.
public struct YAMLCursor {
  let tree: YAMLTree
  let path: YAMLPath
  let session: DecodingSession

  /// Where the value stands, for what is only found later.
  public var place: FilePlace { self.session.place(self.tree.position, self.path) }

  /// Records that something is wrong with the value.
  public func fault(_ problem: String, _ remedy: String) {
    self.session.record(at: self.tree.position, self.path, problem, remedy)
  }

  /// The characters of a scalar, whatever they mean; `nil` for anything else. Records nothing.
  public var scalarText: String? {
    if case .scalar(let scalar, _) = self.tree { scalar.text } else { nil }
  }

  /// How many items a list has; `nil` for anything else. Records nothing.
  public var itemCount: Int? {
    if case .sequence(let items, _) = self.tree { items.count } else { nil }
  }

  /// Whether the value is empty, `null` or `~`.
  public var isNull: Bool {
    if case .scalar(let scalar, _) = self.tree { scalar.kind == .nothing } else { false }
  }

  /// The value of one of a mapping's keys, or the mapping itself where it has no such key: where to report what is found
  /// when values are compared. It makes no key known.
  public subscript(key: String) -> YAMLCursor {
    guard case .mapping(let entries, _) = self.tree, let entry = entries.first(where: { $0.key == key }) else { return self }
    return YAMLCursor(tree: entry.value, path: self.path.key(key), session: self.session)
  }

  /// The item of a list, or the list itself where it has no such item.
  public subscript(index: Int) -> YAMLCursor {
    guard case .sequence(let items, _) = self.tree, items.indices.contains(index) else { return self }
    return YAMLCursor(tree: items[index], path: self.path.index(index), session: self.session)
  }

  // MARK: Scalars

  /// Text that is not empty. What YAML reads as a number, a boolean or nothing must stand in quotes.
  public func text() -> String? {
    guard let scalar = self.scalar(wanted: "write text") else { return nil }
    guard scalar.kind == .text else {
      return self.refuse("is \(scalar.kind.noun)", "write text, in quotes where it looks like something else")
    }
    guard !scalar.text.isEmpty else { return self.refuse("is empty", "write text") }
    return scalar.text
  }

  /// A scalar in the words of a type of its own: a duration, an address, a size.
  public func parsed<Value>(_ parse: (String) throws(ValueFault) -> Value) -> Value? {
    guard let scalar = self.scalar(wanted: "write a single value") else { return nil }
    guard scalar.kind != .nothing else { return self.refuse("is empty", "write a value or remove the key") }
    do throws(ValueFault) {
      return try parse(scalar.text)
    } catch {
      return self.refuse(error.problem, error.remedy)
    }
  }

  /// A whole number in decimal digits.
  public func integer(in range: ClosedRange<Int>) -> Int? {
    let wanted = "write a whole number from \(range.lowerBound) to \(range.upperBound)"
    guard let scalar = self.scalar(wanted: wanted) else { return nil }
    // A leading zero is an octal number to some readers and a decimal to others.
    guard scalar.kind == .integer, let number = Int(scalar.text), String(number) == scalar.text else {
      return self.refuse("is not a whole number", wanted)
    }
    guard range.contains(number) else { return self.refuse("is out of range", wanted) }
    return number
  }

  /// `true` or `false`, and no other word for them.
  public func boolean() -> Bool? {
    guard let scalar = self.scalar(wanted: "write true or false") else { return nil }
    guard scalar.kind == .boolean, scalar.text == "true" || scalar.text == "false" else {
      return self.refuse("is neither true nor false", "write true or false")
    }
    return scalar.text == "true"
  }

  /// One of a few words: the raw values of an enumeration. Quotes make no difference.
  public func choice<Choice: CaseIterable & RawRepresentable<String>>(of type: Choice.Type) -> Choice? {
    let words = Choice.allCases.map(\.rawValue)
    let wanted = "write \(words.joined(separator: " or "))"
    guard let scalar = self.scalar(wanted: wanted) else { return nil }
    guard let choice = Choice(rawValue: scalar.text) else { return self.refuse("is not a known word", wanted) }
    return choice
  }

  private func scalar(wanted: String) -> YAMLScalar? {
    switch self.tree {
    case .scalar(let scalar, _): return scalar
    case .refused: return nil
    case .sequence, .mapping: return self.refuse("is \(self.tree.noun)", wanted)
    }
  }

  // MARK: Collections

  /// A list. The items that could be read are returned; the faults of the others are on record.
  ///
  /// - Parameters:
  ///   - minimum: the fewest items
  ///   - item: reads one item
  public func list<Item>(atLeast minimum: Int = 0, _ item: (YAMLCursor) -> Item?) -> [Item]? {
    switch self.tree {
    case .sequence(let items, _):
      guard items.count >= minimum else { return self.refuse("has too few items", "list at least \(minimum)") }
      return items.enumerated().compactMap { index, tree in
        item(YAMLCursor(tree: tree, path: self.path.index(index), session: self.session))
      }
    case .refused: return nil
    case .scalar, .mapping: return self.refuse("is \(self.tree.noun)", "write a list, a line with `- ` for each item")
    }
  }

  /// A mapping with known keys. A key that `body` did not ask for is a fault.
  public func mapping<Value>(_ body: (YAMLMapping) -> Value?) -> Value? {
    switch self.tree {
    case .mapping(let entries, let position):
      let mapping = YAMLMapping(entries: entries, position: position, path: self.path, session: self.session)
      let value = body(mapping)
      mapping.refuseUnknownKeys()
      return value
    case .refused: return nil
    case .scalar, .sequence: return self.refuse("is \(self.tree.noun)", "write a mapping, `key: value` on a line for each key")
    }
  }

  /// A mapping whose keys are data: names of users, labels. The entries that could be read are returned in the file's order.
  public func dictionary<Value>(_ value: (_ key: String, YAMLCursor) -> Value?) -> [(key: String, value: Value)]? {
    switch self.tree {
    case .mapping(let entries, _):
      return entries.compactMap { entry in
        let cursor = YAMLCursor(tree: entry.value, path: self.path.key(entry.key), session: self.session)
        return value(entry.key, cursor).map { (entry.key, $0) }
      }
    case .refused: return nil
    case .scalar, .sequence: return self.refuse("is \(self.tree.noun)", "write a mapping, `key: value` on a line for each key")
    }
  }

  private func refuse<Value>(_ problem: String, _ remedy: String) -> Value? {
    self.fault(problem, remedy)
    return nil
  }
}

public import SallyportStrictYAML
import SallyportWire

/// Something that a rule names and the catalogue does not have.
public struct SelectsNothing: Sendable, Hashable {
  /// The item, as the rule writes it, at its place.
  public let place: FilePlace
  /// Whether the selector is nothing but the catalogue's own words (`operations`, `returns`), so that it does nothing now.
  public let hasNoEffect: Bool
  /// A fault where it has no effect, else a warning.
  public let fault: FileFault
}

/// Files the rules of policies into the indices, and notes what selects nothing.
struct RuleCompiler {
  private(set) var rules: [PolicyMatcher.CompiledRule] = []
  private(set) var selectors: [Selector] = []
  private(set) var deny: ClauseIndex
  private(set) var allow: ClauseIndex
  private(set) var selectingNothing: [SelectsNothing] = []
  /// Holds the operations' templates already.
  private(set) var paths: PathIndex.Draft

  private let catalogue: Catalogue?
  private let kinds: KindIndex?
  private let reading: PathReading
  private let vocabulary: CatalogueVocabulary?

  init(catalogue: Catalogue?, kinds: KindIndex?, reading: PathReading, paths: PathIndex.Draft) {
    self.catalogue = catalogue
    self.kinds = kinds
    self.reading = reading
    self.paths = paths
    self.vocabulary = catalogue.map { CatalogueVocabulary($0, reading) }
    let operations = catalogue?.operations.count ?? 0
    self.deny = ClauseIndex(.deny, operations: operations, kinds: kinds?.count ?? 0)
    self.allow = ClauseIndex(.allow, operations: operations, kinds: kinds?.count ?? 0)
  }

  mutating func add(_ document: PolicyDocument) {
    for rule in document.rules {
      self.rules.append(PolicyMatcher.CompiledRule(rule, of: document.name))
      for placed in rule.selectors {
        guard self.reading == .kubernetes || placed.selector.appliesToGenericUpstreams else { continue }
        self.selectors.append(placed.selector)
        self.file(placed, of: rule, into: rule.effect == .deny ? \.deny : \.allow)
      }
    }
  }

  private mutating func file(_ placed: Rule.PlacedSelector, of rule: Rule, into index: WritableKeyPath<Self, ClauseIndex>) {
    let selector = placed.selector
    let vocabulary = self.vocabulary
    let numbers = (rule: Int32(self.rules.count - 1), selector: Int32(self.selectors.count - 1))
    func clause(_ resource: Int = 0) -> Clause {
      Clause(rule: numbers.rule, selector: numbers.selector, resource: Int32(resource))
    }
    switch selector.subject {
    case .resources(let patterns):
      for (number, pattern) in patterns.enumerated() {
        self[keyPath: index].insert(resource: pattern, clause(number), of: selector, rule)
        if let vocabulary, !vocabulary.hasResource(pattern) {
          self.note(placed, number, "is no resource of the OpenAPI document", vocabulary.nearestResource(to: pattern))
        }
      }
    case .paths(let templates):
      for (number, template) in templates.enumerated() {
        let found = self.paths.insert(template, rule.effect.spelling)
        self[keyPath: index].insert(path: found, clause(), of: selector, rule)
        if let vocabulary, !vocabulary.hasPath(template) {
          self.note(placed, number, "is no path of the OpenAPI document", vocabulary.nearestPath(to: template))
        }
      }
    case .operations(let patterns):
      guard let catalogue else { return }
      var found: [Int32] = []
      for (number, pattern) in patterns.enumerated() {
        let before = found.count
        for (operation, described) in catalogue.operations.enumerated() where pattern.matches(described.id) {
          found.append(Int32(operation))
        }
        if found.count == before {
          self.note(placed, number, "selects no operation of the OpenAPI document", vocabulary?.nearestOperation(to: pattern))
        }
      }
      self[keyPath: index].insert(operations: Array(Set(found)).sorted(), clause(), of: selector, rule)
    case .returns(let schemas):
      guard let catalogue, let kinds = self.kinds else { return }
      var found: Set<Int32> = []
      var answering: Set<Int32> = []
      for (number, schema) in schemas.enumerated() {
        let returned = ReturnedSchema(schema, catalogue, kinds)
        if returned.isEmpty {
          self.note(placed, number, "is no schema that an operation answers with", vocabulary?.nearestSchema(to: schema))
        }
        found.formUnion(returned.kinds)
        answering.formUnion(returned.operations.lazy.map(Int32.init))
      }
      let filed = clause()
      self[keyPath: index].insert(kinds: found.sorted(), filed, of: selector, rule)
      if !answering.isEmpty { self[keyPath: index].insert(operations: answering.sorted(), filed, of: selector, rule) }
    case .impersonates(let users, let groups):
      self[keyPath: index].insert(impersonation: clause(), users: users, groups: groups)
    }
  }

  /// How many of them are told what they may have meant: to find that is a look at every name that there is, and whoever has more
  /// has another document.
  private static let mostSuggestions = 100

  private mutating func note(_ placed: Rule.PlacedSelector, _ item: Int, _ problem: String, _ nearest: @autoclosure () -> String?) {
    let place = placed.items.indices.contains(item) ? placed.items[item] : placed.place
    let suggestion = self.selectingNothing.count < Self.mostSuggestions ? nearest() : nil
    let remedy = suggestion.map { "did you mean `\($0)`?" } ?? "see `sallyport policy operations` for what there is"
    let hasNoEffect = placed.selector.needsCatalogue
    self.selectingNothing.append(
      SelectsNothing(place: place, hasNoEffect: hasNoEffect, fault: FileFault(hasNoEffect ? .fault : .warning, at: place, problem, remedy)))
  }
}

/// The words of a catalogue, to tell a slip from a name.
struct CatalogueVocabulary {
  private let catalogue: Catalogue
  private let reading: PathReading
  private let objects: Set<ObjectPath>
  private let templates: Set<[PathPattern.Segment]>

  init(_ catalogue: Catalogue, _ reading: PathReading) {
    self.catalogue = catalogue
    self.reading = reading
    self.objects = reading == .kubernetes ? Set(catalogue.operations.compactMap { ObjectPath(template: $0.path) }) : []
    self.templates = Set(catalogue.operations.map { PathPattern($0).segments })
  }

  func hasResource(_ pattern: ResourcePattern) -> Bool {
    // `secrets/*` is written for subresources that there may be one day.
    let isOfAnySubresource = pattern.subresource?.matchesEverything == true
    return self.objects.contains { object in
      pattern.matches(group: object.group, resource: object.resource, subresource: isOfAnySubresource ? "any" : object.subresource)
    }
  }

  /// What API servers serve and no OpenAPI document of theirs lists.
  private static let undocumented: Set<String> = [
    "configz", "debug", "flagz", "healthz", "livez", "logs", "metrics", "openapi", "readyz", "statusz",
  ]

  /// Whether some path of the document is the template, or is below an open one.
  func hasPath(_ template: PathPattern) -> Bool {
    if self.reading == .kubernetes, case .literal(let first)? = template.segments.first, Self.undocumented.contains(first) { return true }
    if !template.isOpen { return self.templates.contains { Self.agree($0, template.segments) && $0.count == template.segments.count } }
    return self.templates.contains { Self.agree($0, template.segments) }
  }

  /// Whether the first can begin with the second: a parameter agrees with whatever stands in its place.
  private static func agree(_ path: [PathPattern.Segment], _ beginning: [PathPattern.Segment]) -> Bool {
    guard path.count >= beginning.count else { return false }
    return zip(path, beginning).allSatisfy { left, right in
      switch (left, right) {
      case (.literal(let left), .literal(let right)): left.utf8.elementsEqual(right.utf8)
      default: true
      }
    }
  }

  /// For a pattern with stars the pattern with its pieces mended, if that selects something: `*CoreV1*Secert*`.
  func nearestOperation(to pattern: NamePattern) -> String? {
    let ids = self.catalogue.operations.map(\.id)
    guard !pattern.isLiteral else { return NearestName.of(pattern.text, among: ids) }
    let pieces = pattern.text.split(separator: "*", omittingEmptySubsequences: false).map(String.init)
    let mended = pieces.map { piece in
      piece.isEmpty || ids.contains { $0.contains(piece) } ? piece : NearestName.of(piece, among: Self.runs(of: ids, like: piece)) ?? piece
    }
    let text = mended.joined(separator: "*")
    if text != pattern.text, ids.contains(where: NamePattern(text).matches) { return text }
    return NearestName.of(pieces.joined(), among: ids)
  }

  /// What the ids have of as many words as a piece has, one more or one less: a word begins with a capital letter.
  private static func runs(of ids: [String], like piece: String) -> Set<String> {
    let length = max(1, self.words(of: piece).count)
    var runs: Set<String> = []
    for id in ids {
      let words = self.words(of: id)
      for count in max(1, length - 1)...(length + 1) where count <= words.count {
        for start in 0...(words.count - count) { runs.insert(words[start..<(start + count)].joined()) }
      }
    }
    return runs
  }

  private static func words(of text: String) -> [String] {
    text.reduce(into: []) { words, character in
      if words.isEmpty || character.isUppercase { words.append("") }
      words[words.count - 1].append(character)
    }
  }

  func nearestSchema(to schema: String) -> String? {
    NearestName.of(schema, among: self.catalogue.kindsBySchema.keys)
  }

  func nearestResource(to pattern: ResourcePattern) -> String? {
    NearestName.of(
      pattern.text,
      among: Set(
        self.objects.flatMap { object in
          let subresource = object.subresource.isEmpty ? "" : "/\(object.subresource)"
          return ["\(object.resource)\(subresource)"] + (object.group.isEmpty ? [] : ["\(object.resource).\(object.group)\(subresource)"])
        }))
  }

  func nearestPath(to template: PathPattern) -> String? {
    NearestName.of(template.text, among: self.catalogue.operations.map(\.path))
  }
}

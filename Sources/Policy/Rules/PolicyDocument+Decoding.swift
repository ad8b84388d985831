public import SallyportStrictYAML

extension PolicyDocument {
  enum APIVersion: String, CaseIterable {
    case v1alpha1 = "sallyport.dev/v1alpha1"
  }

  enum Kind: String, CaseIterable {
    case accessPolicy = "AccessPolicy"
  }

  /// The name by which a decision is reported that no rule made: the operation is unknown to the OpenAPI document.
  static let unknownOperationRule = "unknown-operation"

  /// Reads a policy from the bytes of its file.
  ///
  /// - Parameter fileName: what the file is called in faults
  /// - Throws: every fault of the file
  public static func load(yaml: some Sequence<UInt8>, fileName: String) throws(FileFaults) -> PolicyDocument {
    try StrictYAML.decode(bytes: yaml, fileName: fileName) { PolicyDocument($0) }
  }

  /// Reads a policy from text.
  public static func load(yaml: String, fileName: String) throws(FileFaults) -> PolicyDocument {
    try self.load(yaml: yaml.utf8, fileName: fileName)
  }

  /// The key paths that the decoding of `yaml` asks for, with `[]` for any index: what the manual lists.
  public static func knownKeys(of yaml: String) -> Set<String> {
    StrictYAML.keysAsked(by: { PolicyDocument($0) }, of: yaml)
  }

  init?(_ yaml: YAMLCursor) {
    let document: Self? = yaml.mapping { keys in
      _ = keys.required("apiVersion")?.choice(of: APIVersion.self)
      _ = keys.required("kind")?.choice(of: Kind.self)
      let name: (String, FilePlace)? = keys.required("metadata")?.mapping { keys in
        keys.required("name").flatMap { yaml in yaml.policyName().map { ($0, yaml.place) } }
      }
      let effect = keys.optional("default")?.choice(of: Effect.self) ?? .allow
      let rules = keys.required("rules")?.list(atLeast: 1) { yaml in Rule(yaml).map { (yaml, $0) } }
      let ruleNames = Set((rules ?? []).map(\.1.name))
      let tests = keys.optional("tests")?.list { PolicyTest($0, policy: name?.0 ?? "", rules: ruleNames) } ?? []
      guard let name, let rules else { return nil }
      Self.checkUniqueness(of: rules)
      return Self(
        name: name.0, rules: rules.map(\.1), tests: tests, deniesByDefault: effect == .deny, place: name.1,
        warnings: rules.flatMap { $0.1.warnings($0.0) })
    }
    guard let document else { return nil }
    self = document
  }

  private static func checkUniqueness(of rules: [(YAMLCursor, Rule)]) {
    var seen: Set<String> = [Self.unknownOperationRule]
    for (yaml, rule) in rules where !seen.insert(rule.name).inserted {
      if rule.name == Self.unknownOperationRule {
        yaml["name"].fault("is the name by which unknown operations are denied", "choose another")
      } else {
        yaml["name"].fault("is the name of an earlier rule", "choose another")
      }
    }
  }
}

extension YAMLCursor {
  /// The name of a policy or rule: fit for a metric's label and a line of the audit log.
  func policyName() -> String? {
    guard let text = self.text() else { return nil }
    let isPlain = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
      case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
      default: false
      }
    }
    guard isPlain, text.utf8.count <= 63 else {
      self.fault("is not a name", "use up to 63 letters, digits, `-`, `_` and `.`")
      return nil
    }
    return text
  }

  /// A list of names, `*` for any run of characters.
  func nameSet() -> NameSet? {
    self.list(atLeast: 1) { $0.text().map(NamePattern.init) }.map(NameSet.init)
  }
}

public import SallyportStrictYAML

extension AuditPolicy {
  /// Reads a policy file.
  ///
  /// - Parameter fileName: what the file is called in the faults
  /// - Throws: ``FileFaults``, every fault of the file with its place
  public static func decode(bytes: some Sequence<UInt8>, fileName: String) throws(FileFaults) -> AuditPolicy {
    try StrictYAML.decode(bytes: bytes, fileName: fileName) { document in document.mapping(Self.read) }
  }

  private static func read(_ keys: YAMLMapping) -> AuditPolicy? {
    Self.expect("audit.k8s.io/v1", keys.required("apiVersion"))
    Self.expect("Policy", keys.required("kind"))
    // An object's metadata means nothing in a file, and tools write it.
    _ = keys.optional("metadata")
    let omitStages = Self.stages(keys.optional("omitStages"))
    let omitsManagedFields = keys.optional("omitManagedFields")?.boolean() ?? false
    guard let rules = keys.required("rules")?.list(atLeast: 1, Self.rule) else { return nil }
    return AuditPolicy(rules: rules, omitStages: omitStages, omitsManagedFields: omitsManagedFields)
  }

  private static func expect(_ wanted: String, _ cursor: YAMLCursor?) {
    guard let cursor, let text = cursor.text(), text != wanted else { return }
    cursor.fault("is not an audit policy's", "write \(wanted)")
  }

  private static func stages(_ cursor: YAMLCursor?) -> Set<String> {
    enum Stage: String, CaseIterable {
      case requestReceived = "RequestReceived"
      case responseStarted = "ResponseStarted"
      case responseComplete = "ResponseComplete"
      case panic = "Panic"
    }
    return Set(cursor?.list { $0.choice(of: Stage.self) }?.map(\.rawValue) ?? [])
  }

  private static func rule(_ cursor: YAMLCursor) -> Rule? {
    cursor.mapping { keys in
      var rule = Rule()
      if let level = keys.required("level")?.choice(of: Level.self) { rule.level = level }
      rule.users = Self.texts(keys.optional("users"))
      rule.userGroups = Self.texts(keys.optional("userGroups"))
      rule.verbs = Self.texts(keys.optional("verbs"))
      // The empty namespace is that of resources that have none.
      rule.namespaces = Set(keys.optional("namespaces")?.list { $0.parsed { text throws(ValueFault) in text } } ?? [])
      rule.resources = keys.optional("resources")?.list(Self.resources) ?? []
      let urls = keys.optional("nonResourceURLs")
      rule.nonResourceURLs = urls?.list(Self.url) ?? []
      if let urls, !rule.resources.isEmpty || !rule.namespaces.isEmpty {
        urls.fault("stands beside resources or namespaces", "make two rules of it: a request is for a resource, or it is not")
      }
      rule.omitStages = Self.stages(keys.optional("omitStages"))
      rule.omitsManagedFields = keys.optional("omitManagedFields")?.boolean()
      return rule
    }
  }

  private static func texts(_ cursor: YAMLCursor?) -> Set<String> { Set(cursor?.list { $0.text() } ?? []) }

  private static func resources(_ cursor: YAMLCursor) -> GroupResources? {
    cursor.mapping { keys in
      var resources = GroupResources()
      // The empty group is the core's.
      resources.group = keys.optional("group")?.parsed { text throws(ValueFault) in text } ?? ""
      resources.resources = keys.optional("resources")?.list { $0.text() } ?? []
      let names = keys.optional("resourceNames")
      resources.resourceNames = names?.list { $0.text() } ?? []
      if let names, !resources.resourceNames.isEmpty, resources.resources.isEmpty {
        names.fault("stands without `resources`", "name the resources that have these names")
      }
      return resources
    }
  }

  private static func url(_ cursor: YAMLCursor) -> String? {
    cursor.parsed { text throws(ValueFault) in
      guard text == "*" || text.hasPrefix("/") else { throw ValueFault("does not begin with a slash", "write it as in /healthz* or *") }
      guard !text.dropLast().contains("*") else { throw ValueFault("has a wildcard that is not at its end", "write it as in /healthz*") }
      return text
    }
  }
}

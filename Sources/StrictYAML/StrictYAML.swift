/// How much of a document is read before it is refused.
public struct YAMLLimits: Sendable {
  /// The most bytes of a document.
  public var bytes: Int
  /// The most mappings and lists around a value.
  public var depth: Int

  public init(bytes: Int = 1024 * 1024, depth: Int = 32) {
    self.bytes = bytes
    self.depth = depth
  }
}

/// Reads YAML files that people write by hand and that must mean what they say.
///
/// One document, of mappings with text keys, lists, and scalars. Anchors, aliases, merge keys, tags, duplicate keys and
/// unknown keys are faults, and text that some YAML reader would take for a number or a boolean must stand in quotes.
/// All faults of a document are reported together, in the order of the file.
///
/// ```swift
/// let users = try StrictYAML.decode(text, fileName: "users.yaml") { document in
///   document.mapping { keys in
///     keys.required("users")?.list { user in
///       user.mapping { keys in
///         let name = keys.required("name")?.text()
///         let groups = keys.optional("groups")?.list { $0.text() } ?? []
///         guard let name else { return nil }
///         return User(name: name, groups: groups)
///       }
///     }
///   }
/// }
/// ```
public enum StrictYAML {
  /// Decodes a text.
  ///
  /// - Parameters:
  ///   - text: the file's content
  ///   - fileName: what the file is called in the faults
  ///   - limits: how much is read
  ///   - body: turns the document into a value; where it returns `nil` it must have recorded a fault, as every method of
  ///     ``YAMLCursor`` that returns `nil` has
  /// - Throws: ``FileFaults``, every fault of the document
  public static func decode<Value>(
    _ text: String, fileName: String, limits: YAMLLimits = YAMLLimits(), _ body: (YAMLCursor) -> Value?
  ) throws(FileFaults) -> Value {
    try self.decode(text, in: DecodingSession(fileName: fileName), limits: limits, body)
  }

  /// Decodes a file's bytes, which must be UTF-8.
  public static func decode<Value>(
    bytes: some Sequence<UInt8>, fileName: String, limits: YAMLLimits = YAMLLimits(), _ body: (YAMLCursor) -> Value?
  ) throws(FileFaults) -> Value {
    guard let text = String(validating: Array(bytes), as: UTF8.self) else {
      let session = DecodingSession(fileName: fileName)
      session.record(at: .start, .root, "is not UTF-8", "save the file in UTF-8")
      throw FileFaults(session.faults)
    }
    return try self.decode(text, fileName: fileName, limits: limits, body)
  }

  /// The key paths that a decoding asks a document for, with `[]` for any index: what a reference manual must list.
  public static func keysAsked<Value>(by body: (YAMLCursor) -> Value?, of text: String) -> Set<String> {
    let session = DecodingSession(fileName: "")
    _ = try? self.decode(text, in: session, limits: YAMLLimits(), body)
    return session.askedPaths
  }

  private static func decode<Value>(
    _ text: String, in session: DecodingSession, limits: YAMLLimits, _ body: (YAMLCursor) -> Value?
  ) throws(FileFaults) -> Value {
    let tree = YAMLComposer(session: session, limits: limits).compose(text)
    let value = tree.flatMap { body(YAMLCursor(tree: $0, path: .root, session: session)) }
    guard session.faults.isEmpty, let value else {
      if session.faults.isEmpty { session.record(at: .start, .root, "cannot be read", "check it against the documentation") }
      throw FileFaults(session.faults)
    }
    return value
  }
}

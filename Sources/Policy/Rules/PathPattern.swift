public import SallyportStrictYAML

/// Paths as rules write them, after the templates of OpenAPI: `/api/v1/namespaces/{namespace}/pods/{name}`, `/apis/**`.
///
/// `{x}` stands for one segment that is not empty, also as a part of one (`/files/{name}.json`); `**` stands for all
/// segments that follow, none included, and comes last.
public struct PathPattern: Sendable, Hashable, CustomStringConvertible {
  enum Segment: Sendable, Hashable {
    case literal(String)
    case parameter
    /// A segment that is a parameter only in part; each parameter is a star of the pattern.
    case partial(NamePattern)
  }

  public let text: String
  let segments: [Segment]
  /// Whether any further segments may follow.
  let isOpen: Bool
  let hasTrailingSlash: Bool

  /// Reads a template that a rule names.
  public init(parsing text: String) throws(ValueFault) {
    let remedy = "write it as in /api/v1/namespaces/{namespace}/pods/{name} or /apis/**"
    guard text.hasPrefix("/") else { throw ValueFault("does not begin with a slash", remedy) }
    guard !text.contains(where: { "?#%\\".contains($0) }), text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7F }) else {
      throw ValueFault("has a query, an escape, a blank or a backslash", "write the decoded path alone")
    }
    var inner = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    if inner.last == "" { inner = inner.dropLast() }
    if inner.last == "**" { inner = inner.dropLast() }
    for segment in inner {
      guard !segment.isEmpty, segment != ".", segment != ".." else { throw ValueFault("has an empty or dot segment", remedy) }
      guard !segment.contains("*") else { throw ValueFault("has a `*` that is no `**` at the end", remedy) }
      guard Self.isBalanced(segment) else { throw ValueFault("has a brace that stands alone", remedy) }
    }
    self.init(text)
  }

  private static func isBalanced(_ segment: Substring) -> Bool {
    var depth = 0
    var previous: Character?
    for character in segment {
      if character == "{" { depth += 1 }
      if character == "}" {
        depth -= 1
        if previous == "{" { return false }
      }
      guard (0...1).contains(depth) else { return false }
      previous = character
    }
    return depth == 0
  }

  /// The paths of an operation.
  init(_ operation: Operation) {
    // The reader refuses templates that cannot be matched safely; one that comes from elsewhere is taken for what it says.
    if let template = try? PathTemplate(operation.path) {
      self.init(template, text: operation.path, isOpen: operation.isOpenEnded)
    } else {
      self.init(operation.path)
    }
  }

  private init(_ template: PathTemplate, text: String, isOpen: Bool) {
    var segments = template.segments
    self.text = text
    self.hasTrailingSlash = segments.count > 1 && segments.last == .literal("")
    if segments.last == .literal("") { segments.removeLast() }
    // The last one stands for all that follow.
    if isOpen, !segments.isEmpty { segments.removeLast() }
    self.isOpen = isOpen
    self.segments = segments.map { segment in
      switch segment {
      case .literal(let text): .literal(text)
      case .parameter: .parameter
      case .pattern(let pieces): .partial(NamePattern(pieces: pieces))
      }
    }
  }

  /// Takes a text for the template that it looks like.
  init(_ text: String) {
    self.text = text
    var rest = text.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
    self.isOpen = rest.last == "**"
    if self.isOpen { rest.removeLast() }
    self.segments = rest.map(Self.segment)
    self.hasTrailingSlash = text.utf8.count > 1 && text.utf8.last == UInt8(ascii: "/")
  }

  private static func segment(_ text: String) -> Segment {
    guard text.contains("{") else { return .literal(text) }
    var pattern = ""
    var isInside = false
    for character in text {
      switch character {
      case "{":
        isInside = true
        pattern += "*"
      case "}": isInside = false
      default: if !isInside { pattern.append(character) }
      }
    }
    return pattern == "*" ? .parameter : .partial(NamePattern(pattern))
  }

  public var description: String { self.text }
}

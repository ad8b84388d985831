/// A path template of an OpenAPI document, read so that a matcher need not read it again.
///
/// A segment is literal text, one parameter, or a pattern of both (`{id}.json`, `{kind}:{name}`). A parameter stands for one
/// or more characters of one segment, never for a slash. What could be matched in two ways, or what some tool takes for
/// more than one segment, is refused:
/// - `{a}{b}`: nothing tells where the first parameter ends;
/// - `{path*}`, `{+path}`, `{proxy+}`, `{name=**}`, `{?query}`: extensions of various tools;
/// - `?`, `#`, `\`, control characters, `.` and `..` as a segment, an empty segment but at the end;
/// - an encoded slash, backslash, percent sign, brace, `?` or `#`.
///
/// Text is kept decoded, as ``RequestTarget/path`` is, and reads as itself again. A slash at the end counts: `/api/` and `/api` are two templates,
/// though many servers take them for one.
public struct PathTemplate: Sendable, Hashable, CustomStringConvertible {
  public enum Segment: Sendable, Hashable {
    case literal(String)
    case parameter(String)
    /// Text and parameters in turn; never two parameters side by side.
    case pattern([Piece])
  }

  public enum Piece: Sendable, Hashable {
    case text(String)
    case parameter(String)
  }

  /// Why a template cannot be matched safely, as the predicate of a sentence.
  public struct Fault: Error, Sendable, Hashable {
    public let message: String
  }

  /// The segments behind each slash; a slash at the end gives an empty literal.
  public let segments: [Segment]

  /// The most bytes of a template.
  static let longest = 4096
  /// The most segments of a template: more than any request line of ours can have is no use.
  static let mostSegments = 128

  /// Reads a template.
  ///
  /// - Throws: ``Fault`` with what is wrong.
  public init(_ text: String) throws(Fault) {
    guard text.utf8.count <= Self.longest else { throw Fault(message: "is longer than \(Self.longest) bytes") }
    guard text.utf8.first == UInt8(ascii: "/") else { throw Fault(message: "does not begin with a slash") }
    if let fault = Self.forbidden(in: text) { throw fault }
    let parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= Self.mostSegments else { throw Fault(message: "has more than \(Self.mostSegments) segments") }
    var segments: [Segment] = []
    for (number, part) in parts.enumerated() {
      guard !part.isEmpty || number == parts.count - 1 else { throw Fault(message: "has an empty segment") }
      segments.append(try Self.segment(part))
    }
    self.segments = segments
  }

  /// The template as it is written, its text decoded.
  public var description: String {
    self.segments.map { segment in
      switch segment {
      case .literal(let text): "/\(text)"
      case .parameter(let name): "/{\(name)}"
      case .pattern(let pieces): "/" + pieces.map(Self.text).joined()
      }
    }.joined()
  }

  /// The template without its parameters' names: templates of the same shape match the same paths.
  public var shape: String {
    self.segments.map { segment in
      switch segment {
      case .literal(let text): "/\(text)"
      case .parameter: "/{}"
      case .pattern(let pieces):
        "/"
          + pieces.map { piece in
            switch piece {
            case .text(let text): text
            case .parameter: "{}"
            }
          }.joined()
      }
    }.joined()
  }

  private static func text(_ piece: Piece) -> String {
    switch piece {
    case .text(let text): text
    case .parameter(let name): "{\(name)}"
    }
  }

  private static func forbidden(in text: String) -> Fault? {
    for scalar in text.unicodeScalars {
      switch scalar {
      case "?", "#": return Fault(message: "holds `\(scalar)`, behind which stands no path; describe the query by parameters")
      case "\\": return Fault(message: "holds a backslash, which some servers take for a slash")
      case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}": return Fault(message: "holds a control character")
      default: continue
      }
    }
    return nil
  }

  private static func segment(_ text: Substring) throws(Fault) -> Segment {
    guard text.utf8.contains(where: { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "}") }) else {
      let literal = try self.literal(text)
      guard literal != ".", literal != ".." else { throw Fault(message: "has a dot segment") }
      return .literal(literal)
    }
    var pieces: [Piece] = []
    var rest = text
    while let brace = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
      guard rest[brace] == "{", let end = rest[brace...].dropFirst().firstIndex(where: { $0 == "{" || $0 == "}" }), rest[end] == "}"
      else { throw Fault(message: "has a brace without its counterpart") }
      if brace > rest.startIndex {
        pieces.append(.text(try self.literal(rest[..<brace])))
      } else if case .parameter = pieces.last {
        throw Fault(message: "has two parameters side by side, so that nothing tells where the first ends")
      }
      pieces.append(.parameter(try self.name(rest[brace..<end].dropFirst())))
      rest = rest[end...].dropFirst()
    }
    if !rest.isEmpty { pieces.append(.text(try self.literal(rest))) }
    if pieces.count == 1, case .parameter(let name) = pieces[0] { return .parameter(name) }
    return .pattern(pieces)
  }

  private static func name(_ text: Substring) throws(Fault) -> String {
    let isPlain = text.unicodeScalars.allSatisfy {
      $0.properties.isAlphabetic || $0.properties.numericType == .decimal || "-_.~$@".unicodeScalars.contains($0)
    }
    guard !text.isEmpty, isPlain else {
      throw Fault(message: "has a parameter whose name is empty, or not of letters, digits and -_.~$@; only {name} is supported")
    }
    return String(text)
  }

  private static func literal(_ text: Substring) throws(Fault) -> String {
    var decoded = String(text)
    if text.utf8.contains(UInt8(ascii: "%")) {
      guard let plain = PercentText.decode(text.utf8) else { throw Fault(message: "has a broken percent escape") }
      guard !plain.unicodeScalars.contains(where: self.isUnfitDecoded) else {
        throw Fault(message: "has a percent escape for a slash, backslash, percent sign, brace, ?, # or control character")
      }
      decoded = plain
    }
    return decoded
  }

  private static func isUnfitDecoded(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "/", "\\", "%", "{", "}", "?", "#", "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}": true
    default: false
    }
  }
}

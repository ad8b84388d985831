/// Reads the tags of a template and writes it anew with names that the engine cannot misread.
///
/// The engine's own names hold letters, digits, `.`, `-`, `_` and `?`; those of claims and extra attributes may hold anything
/// (`https://example.org/groups`). So each name becomes `v0`, `v1`, …, and only those kinds of tags are let through whose
/// meaning is known here: variables, sections, inverted sections, comments.
struct TemplateScanner<Name: TemplateName> {
  private(set) var rewritten = ""
  /// The names by their numbers.
  private(set) var names: [Name] = []
  private let escapes: Bool

  private struct Section {
    let word: String
    let tag: Tag
    /// Whether there is something that `.` could stand for.
    let hasItem: Bool
  }

  /// A tag's number and place.
  private struct Tag {
    var number = 0
    var line = 1
    var column = 1

    func fault(_ reason: TemplateFault.Reason) -> TemplateFault { self.fault(.malformed(reason)) }
    func fault(_ kind: TemplateFault.Kind) -> TemplateFault {
      TemplateFault(kind: kind, tag: self.number, line: self.line, column: self.column)
    }

    /// Goes on to where a text ends.
    mutating func move(over text: Substring) {
      for scalar in text.unicodeScalars {
        if scalar == "\n" {
          self.line += 1
          self.column = 1
        } else {
          self.column += 1
        }
      }
    }
  }

  private var open: [Section] = []
  private var tag = Tag()

  /// - Parameter escapes: whether values are escaped, so that tags that leave them as they are have no place
  init(_ source: String, escapes: Bool) throws(TemplateFault) {
    self.escapes = escapes
    var rest = Substring(source)
    while let start = rest.firstRange(of: "{{") {
      self.rewritten += rest[..<start.lowerBound]
      self.tag.move(over: rest[..<start.lowerBound])
      self.tag.number += 1
      rest = rest[start.lowerBound...]
      let isTriple = rest.dropFirst(2).first == "{"
      let content = rest.dropFirst(isTriple ? 3 : 2)
      guard let end = content.firstRange(of: isTriple ? "}}}" : "}}") else { throw self.tag.fault(.unfinished) }
      try self.read(content[..<end.lowerBound], isTriple: isTriple)
      self.tag.move(over: rest[..<end.upperBound])
      rest = rest[end.upperBound...]
    }
    self.rewritten += rest
    if let section = self.open.last { throw section.tag.fault(.sectionOpen) }
  }

  private mutating func read(_ content: Substring, isTriple: Bool) throws(TemplateFault) {
    let content = Self.trimmed(content)
    guard let first = content.first else { throw self.tag.fault(.empty) }
    let word = String(Self.trimmed(content.dropFirst()))
    if isTriple {
      guard !self.escapes else { throw self.tag.fault(.unescaped) }
      return self.rewritten += "{{{\(try self.variable(String(content)))}}}"
    }
    switch first {
    case "!": self.rewritten += "{{! }}"
    case "&":
      guard !self.escapes else { throw self.tag.fault(.unescaped) }
      self.rewritten += "{{&\(try self.variable(word))}}"
    case "#", "^":
      let isPosition = word == "first()" || word == "last()"
      if isPosition, self.open.isEmpty { throw self.tag.fault(.outsideOfSection) }
      self.rewritten += "{{\(first)\(isPosition ? word : try self.reference(word))}}"
      self.open.append(Section(word: word, tag: self.tag, hasItem: first == "#" && !isPosition))
    case "/":
      guard let section = self.open.popLast(), section.word == word else { throw self.tag.fault(.notOpen) }
      self.rewritten += "{{/\(word.hasSuffix("()") ? word : try self.reference(word))}}"
    case ">", "<", "$", "=", "%", "*": throw self.tag.fault(.kind)
    default: self.rewritten += "{{\(try self.variable(String(content)))}}"
    }
  }

  private mutating func variable(_ word: String) throws(TemplateFault) -> String {
    guard word == "." else { return try self.reference(word) }
    guard self.open.contains(where: \.hasItem) else { throw self.tag.fault(.outsideOfSection) }
    return word
  }

  private mutating func reference(_ word: String) throws(TemplateFault) -> String {
    guard let name = Name(word: word), word.allSatisfy({ !$0.isWhitespace && $0 != "{" && $0 != "}" }) else {
      throw self.tag.fault(.unknown(word: word))
    }
    if let index = self.names.firstIndex(of: name) { return "v\(index)" }
    self.names.append(name)
    return "v\(self.names.count - 1)"
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop(while: \.isWhitespace)
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}

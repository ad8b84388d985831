import Mustache

/// A text with places for values (mustache(5)), compiled once.
///
/// In a line a value that is not there, in a place that wants one, makes the whole rendering ``Rendered/missing``: what would be
/// said without it is something else. Sections are for what may be there and may not.
public struct Template<Name: TemplateName>: Sendable, Equatable {
  public enum Form: Sendable, Hashable {
    /// One line of text as it is: values with control characters or outer blanks do not fit.
    case line
    /// HTML, in which every value is escaped.
    case html
  }

  public let source: String
  public let form: Form
  /// Everything that the template names, in the order in which it does.
  public let names: [Name]
  private let compiled: MustacheTemplate

  /// - Throws: ``TemplateFault``
  public init(_ source: String, _ form: Form) throws(TemplateFault) {
    let scanner = try TemplateScanner<Name>(source, escapes: form == .html)
    do {
      self.compiled = try MustacheTemplate(string: (form == .line ? "{{% CONTENT_TYPE:TEXT}}" : "") + scanner.rewritten)
    } catch {
      throw TemplateFault(kind: .malformed(.engine), tag: 1, line: 1, column: 1)
    }
    self.source = source
    self.form = form
    self.names = scanner.names
  }

  public static func == (left: Self, right: Self) -> Bool {
    left.form == right.form && left.source.utf8.elementsEqual(right.source.utf8)
  }

  /// The text with values in their places.
  ///
  /// - Parameter value: what a name stands for; `nil` where there is nothing. It is asked on this thread, until the text is there.
  public func render(_ value: @escaping (Name) -> TemplateValue?) -> Rendered<Name> {
    let values = RenderedValues(self.names, value, isLine: self.form == .line)
    let text = self.compiled.render(values)
    switch values.objection {
    case .none: return .text(text)
    case .missing(let name): return .missing(name)
    case .unfit(let name, let reason): return .unfit(name, reason)
    }
  }
}

/// What a name stands for.
public enum TemplateValue: Sendable, Hashable {
  case text(String)
  /// Written as a variable it is `true` or `false`; a section is for what is true.
  case flag(Bool)
  /// Written as a variable the items stand behind one another with commas between them.
  case list([String])
}

/// What comes of a template.
public enum Rendered<Name: TemplateName>: Equatable {
  case text(String)
  /// Something is not there whose place is in no section that asks for it.
  case missing(Name)
  /// A value that would be read as another one where it is written.
  case unfit(Name, UnfitValue)
}

/// Why a value cannot be written.
public enum UnfitValue: String, Sendable {
  case controlCharacter = "holds a control character or a line break"
  case outerBlanks = "begins or ends with a blank"
  /// Whoever splits the list reads two items.
  case comma = "holds a comma, in a list that is written with commas"
}

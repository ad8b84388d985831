import Mustache

/// The values of one rendering, as the engine looks for them: by `v0`, `v1`, …
///
/// What the engine is given is never text but an object that knows its name, so that what does not fit is noticed where, and
/// only if, it is written.
final class RenderedValues<Name: TemplateName>: MustacheParent {
  enum Objection {
    case none
    case missing(Name)
    case unfit(Name, UnfitValue)
  }

  private let names: [Name]
  private let value: (Name) -> TemplateValue?
  fileprivate let isLine: Bool
  /// The first thing that was wrong.
  private(set) var objection = Objection.none

  init(_ names: [Name], _ value: @escaping (Name) -> TemplateValue?, isLine: Bool) {
    self.names = names
    self.value = value
    self.isLine = isLine
  }

  func child(named word: String) -> Any? {
    guard word.first == "v", let index = Int(word.dropFirst()), self.names.indices.contains(index) else { return nil }
    let name = self.names[index]
    switch self.value(name) {
    case .text(let text)? where !text.isEmpty: return RenderedText(text: text, name: name, values: self)
    case .flag(let flag)?: return RenderedFlag(flag: flag)
    case .list(let items)? where !items.isEmpty:
      return RenderedList(items: items.map { RenderedText(text: $0, name: name, values: self) }, name: name, values: self)
    case nil, .text?, .list?: return RenderedNothing(name: name, values: self)
    }
  }

  fileprivate func object(_ objection: Objection) {
    if case .none = self.objection { self.objection = objection }
  }

  fileprivate func check(_ text: String, _ name: Name) {
    guard self.isLine else { return }
    // U+2028 and U+2029 end a line for JavaScript and for some viewers of logs.
    let breaks = text.unicodeScalars.contains {
      $0.properties.generalCategory == .control || $0.value == 0x2028 || $0.value == 0x2029
    }
    if breaks { return self.object(.unfit(name, .controlCharacter)) }
    if text.utf8.first == 0x20 || text.utf8.last == 0x20 { self.object(.unfit(name, .outerBlanks)) }
  }
}

private struct RenderedText<Name: TemplateName>: MustacheCustomRenderable, MustacheParent {
  let text: String
  let name: Name
  let values: RenderedValues<Name>

  var isNull: Bool { false }

  var renderText: String {
    self.values.check(self.text, self.name)
    return self.text
  }

  func child(named: String) -> Any? { nil }
}

private struct RenderedFlag: MustacheCustomRenderable, MustacheParent {
  let flag: Bool

  var isNull: Bool { !self.flag }
  var renderText: String { self.flag ? "true" : "false" }
  func child(named: String) -> Any? { nil }
}

private struct RenderedList<Name: TemplateName>: MustacheSequence, MustacheCustomRenderable, MustacheParent {
  let items: [RenderedText<Name>]
  let name: Name
  let values: RenderedValues<Name>

  var isNull: Bool { false }

  func makeIterator() -> IndexingIterator<[RenderedText<Name>]> { self.items.makeIterator() }

  var renderText: String {
    if self.items.contains(where: { $0.text.utf8.contains(UInt8(ascii: ",")) }) { self.values.object(.unfit(self.name, .comma)) }
    return self.items.map(\.renderText).joined(separator: ",")
  }

  func child(named: String) -> Any? { nil }
}

private struct RenderedNothing<Name: TemplateName>: MustacheCustomRenderable, MustacheParent {
  let name: Name
  let values: RenderedValues<Name>

  var isNull: Bool { true }

  /// On a page a gap is a gap.
  var renderText: String {
    if self.values.isLine { self.values.object(.missing(self.name)) }
    return ""
  }

  func child(named: String) -> Any? { nil }
}

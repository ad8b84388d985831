public import SallyportStrictYAML
public import SallyportTemplates

extension ValueFault {
  /// Says it with what can be named.
  public init<Name: TemplateName>(_ fault: TemplateFault, _ names: Name.Type) {
    switch fault.kind {
    case .malformed(let reason):
      self.init("has a tag (number \(fault.tag)) that \(reason.rawValue)", "write {{name}}, {{#name}}…{{/name}} or {{^name}}…{{/name}}")
    case .unknown(let word):
      self.init(
        "has a tag (number \(fault.tag)) that names nothing known",
        Self.nearest(word, names).map { "did you mean `\($0)`?" } ?? "known here: \(Name.words.joined(separator: ", "))")
    }
  }

  /// Of a name with a part that anybody may choose, what stands before it can be a slip.
  private static func nearest<Name: TemplateName>(_ word: String, _ names: Name.Type) -> String? {
    if let dot = word.firstIndex(of: ".") {
      let families = Set(Name.words.compactMap { word in word.firstIndex(of: ".").map { String(word[..<$0]) } })
      if let family = NearestName.of(String(word[..<dot]), among: families), Name(word: family + word[dot...]) != nil,
        word.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x60 })
      {
        return family + word[dot...]
      }
    }
    return NearestName.of(word, among: Name.words)
  }
}

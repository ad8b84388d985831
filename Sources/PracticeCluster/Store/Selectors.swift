/// A label selector: `app=web,tier!=db,env in (dev,prod),!legacy`.
///
/// See kubernetes/apimachinery pkg/labels/selector.go. Requirements are joined by "and"; an object without the key
/// satisfies `!=` and `notin`.
struct LabelSelector: Sendable, Hashable {
  enum Requirement: Sendable, Hashable {
    case among(key: String, values: Set<String>)
    case notAmong(key: String, values: Set<String>)
    case exists(key: String)
    case absent(key: String)
    case compares(key: String, isGreater: Bool, than: Int64)
  }

  let requirements: [Requirement]

  static let everything = LabelSelector(requirements: [])
  private init(requirements: [Requirement]) { self.requirements = requirements }

  init(_ text: String) throws(APIError) {
    var requirements: [Requirement] = []
    for part in Self.split(text) {
      let part = part.trimmingBlanks
      if part.isEmpty, text.trimmingBlanks.isEmpty { continue }
      guard let requirement = Self.requirement(part) else {
        throw .badRequest("unable to parse requirement: found \(part.quoted), expected: a label selector")
      }
      requirements.append(requirement)
    }
    self.requirements = requirements
  }

  func matches(_ labels: [String: String]) -> Bool {
    self.requirements.allSatisfy { requirement in
      switch requirement {
      case .among(let key, let values): labels[key].map(values.contains) ?? false
      case .notAmong(let key, let values): !(labels[key].map(values.contains) ?? false)
      case .exists(let key): labels[key] != nil
      case .absent(let key): labels[key] == nil
      case .compares(let key, let isGreater, let bound):
        labels[key].flatMap { Int64($0) }.map { isGreater ? $0 > bound : $0 < bound } ?? false
      }
    }
  }

  /// Splits at the commas that are not in brackets.
  private static func split(_ text: String) -> [Substring] {
    var parts: [Substring] = []
    var depth = 0
    var start = text.startIndex
    for index in text.indices {
      switch text[index] {
      case "(": depth += 1
      case ")": depth -= 1
      case "," where depth == 0:
        parts.append(text[start..<index])
        start = text.index(after: index)
      default: break
      }
    }
    parts.append(text[start...])
    return parts
  }

  private static func requirement(_ text: String) -> Requirement? {
    if text.hasPrefix("!"), !text.hasPrefix("!=") {
      let key = text.dropFirst().trimmingBlanks
      return self.isKey(key) ? .absent(key: key) : nil
    }
    for (sign, isEqual) in [("!=", false), ("==", true), ("=", true)] {
      guard let range = text.firstRange(of: sign) else { continue }
      let key = text[..<range.lowerBound].trimmingBlanks
      let value = text[range.upperBound...].trimmingBlanks
      guard self.isKey(key), NameRules.isLabelValue(value) else { return nil }
      return isEqual ? .among(key: key, values: [value]) : .notAmong(key: key, values: [value])
    }
    for (sign, isGreater) in [(">", true), ("<", false)] {
      guard let range = text.firstRange(of: sign) else { continue }
      let key = text[..<range.lowerBound].trimmingBlanks
      guard self.isKey(key), let bound = Int64(text[range.upperBound...].trimmingBlanks) else { return nil }
      return .compares(key: key, isGreater: isGreater, than: bound)
    }
    let words = text.split(maxSplits: 1, omittingEmptySubsequences: true) { $0 == " " || $0 == "\t" }
    guard let key = words.first.map(String.init), self.isKey(key) else { return nil }
    guard words.count == 2 else { return .exists(key: key) }
    return self.setRequirement(key: key, words[1].trimmingBlanks)
  }

  private static func setRequirement(key: String, _ text: String) -> Requirement? {
    guard let open = text.firstIndex(of: "("), text.last == ")" else { return nil }
    let values = Set(
      text[text.index(after: open)...].dropLast().split(separator: ",", omittingEmptySubsequences: false).map(\.trimmingBlanks))
    guard values.allSatisfy(NameRules.isLabelValue) else { return nil }
    switch text[..<open].trimmingBlanks {
    case "in": return .among(key: key, values: values)
    case "notin": return .notAmong(key: key, values: values)
    default: return nil
    }
  }

  private static func isKey(_ key: String) -> Bool { NameRules.isQualifiedName(key) }
}

/// A field selector: `metadata.name=web-0,status.phase!=Running`.
struct FieldSelector: Sendable, Hashable {
  struct Term: Sendable, Hashable {
    let field: String
    let value: String
    let isEqual: Bool
  }

  let terms: [Term]

  static let everything = FieldSelector(terms: [])
  private init(terms: [Term]) { self.terms = terms }

  init(_ text: String) throws(APIError) {
    var terms: [Term] = []
    for part in text.split(separator: ",") {
      guard let range = part.firstRange(of: "!=") ?? part.firstRange(of: "==") ?? part.firstRange(of: "=") else {
        throw .badRequest("invalid selector: \(text.quoted); can't understand \(String(part).quoted)")
      }
      let term = Term(
        field: String(part[..<range.lowerBound]), value: String(part[range.upperBound...]), isEqual: part[range] != "!=")
      terms.append(term)
    }
    self.terms = terms
  }

  /// - Throws: 400 for a field that objects of this type are not selected by
  func check(for type: ResourceType) throws(APIError) {
    for term in self.terms where term.field != "metadata.name" && term.field != "metadata.namespace" {
      guard type.selectableFields.contains(term.field) else { throw .badRequest("field label not supported: \(term.field)") }
    }
  }

  func exactMatch(of field: String) -> String? { self.terms.first { $0.field == field && $0.isEqual }?.value }

  /// The selector with one more name to be matched.
  func narrowed(toName name: String) -> FieldSelector {
    FieldSelector(terms: self.terms + [Term(field: "metadata.name", value: name, isEqual: true)])
  }

  func matches(_ object: StoredObject) -> Bool {
    self.terms.allSatisfy { term in
      let value: String
      switch object[term.field.split(separator: ".").map(String.init)] {
      case .string(let text): value = text
      case .bool(let flag): value = flag ? "true" : "false"
      case .integer(let number): value = String(number)
      // A switch that is not set is off.
      default: value = term.field == "spec.unschedulable" ? "false" : ""
      }
      return (value == term.value) == term.isEqual
    }
  }
}

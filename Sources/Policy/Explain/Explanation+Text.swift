import Foundation

extension Explanation {
  /// The explanation as a reviewer reads it.
  public var text: String {
    var lines = self.readingLines
    lines.append("")
    lines.append(self.verdictLine)
    // What decided comes first, then what nearly did.
    for rule in self.rules.filter(\.applies) + self.rules.filter(\.isNear) + self.rules.filter({ !$0.applies && !$0.isNear }) {
      lines.append("")
      lines.append("\(rule.rule) (\(rule.effect), \(rule.place)) \(rule.applies ? "applies" : "does not apply")")
      for selector in rule.selectors {
        lines.append("  \(selector.matches ? "+" : "-") \(selector.selector)")
        lines.append("      \(selector.because)")
      }
      guard rule.selectors.contains(where: \.matches) else { continue }
      for person in rule.people {
        lines.append(
          "  \(person.isMeant ? "+" : "-") \(person.isMeant ? "for" : "not for") \(person.user)\(person.isRequested ? ", whom the user would act as" : "")"
        )
        lines.append("      \(person.because)")
      }
    }
    return lines.joined(separator: "\n")
  }

  private var readingLines: [String] {
    guard let reading = self.reading else { return ["The request cannot be read one way only."] }
    var lines = ["\(reading.method) \(reading.path)"]
    if let resource = reading.resource {
      var object = "\(reading.verb ?? "") \(resource) (\(reading.apiVersion ?? ""))"
      object += reading.namespace.map { " in the namespace \($0)" } ?? " in no one namespace"
      object += reading.name.map { ", named \($0)" } ?? ", without a name"
      lines.append("  reads as   \(object)")
    } else {
      lines.append("  reads as   a path alone")
    }
    lines.append("  operation  \(reading.operation ?? "not known")")
    return lines
  }

  private var verdictLine: String {
    switch self.verdict {
    case .refuse: return "REFUSED with 400: \(self.message ?? "")"
    case .allow: return "ALLOWED \(self.grounds)"
    case .deny: return "DENIED \(self.grounds): \(self.message ?? "")"
    }
  }

  private var grounds: String {
    self.rule.map { "by \($0)" } ?? "because \(self.because ?? "")"
  }

  /// The explanation as JSON with sorted keys.
  public func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }
}

extension Explanation.RuleFinding {
  /// Whether the rule selects the request, and speaks to others.
  fileprivate var isNear: Bool { !self.applies && self.selectors.contains(where: \.matches) }
}

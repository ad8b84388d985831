import SallyportStrictYAML

extension GatewayConfiguration {
  /// A page for browsers that get an answer of the gateway's own.
  public struct ErrorPage: Sendable, Equatable {
    /// Empty for all that no other page is for.
    public let statuses: [Int]
    /// HTML with places for values.
    public let file: NamedFile

    public init(statuses: [Int], file: NamedFile) {
      self.statuses = statuses
      self.file = file
    }
  }
}

extension GatewayConfiguration.ErrorPage {
  /// Reads the pages of a route or of the gateway: one for each status at most, and one for the rest.
  static func pages(_ yaml: YAMLCursor) -> [Self] {
    var seen: Set<Int> = []
    var hasRest = false
    return yaml.list(atLeast: 1) { yaml in
      yaml.mapping { keys in
        let section = keys.optional("statuses")
        let statuses = section.map { $0.list(atLeast: 1) { $0.integer(in: 400...599) } ?? [] } ?? []
        for (index, status) in statuses.enumerated() where !seen.insert(status).inserted {
          section?[index].fault("has a page already", "remove it")
        }
        if section == nil {
          if hasRest { yaml.fault("is a second page for every other status", "add statuses, or remove it") }
          hasRest = true
        }
        guard let file = keys.required("file")?.file() else { return nil }
        return Self(statuses: statuses, file: file)
      }
    } ?? []
  }
}

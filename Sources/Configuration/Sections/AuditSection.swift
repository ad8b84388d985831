import SallyportStrictYAML

extension GatewayConfiguration {
  /// Where the record of every request goes.
  public struct Audit: Sendable, Equatable {
    /// What a record has survived when the answer leaves.
    public enum Durability: String, Sendable, CaseIterable {
      /// The end of the process.
      case written
      /// The end of the machine.
      case synced
    }

    public let directory: NamedFile
    public let durability: Durability
  }
}

extension GatewayConfiguration.Audit {
  init?(_ yaml: YAMLCursor) {
    let audit: Self? = yaml.mapping { keys in
      let directory = keys.required("directory")?.file()
      let durability = keys.optional("durability")?.choice(of: Durability.self) ?? .written
      keys.notInThisVersion("rotate", "policyFile")
      return directory.map { Self(directory: $0, durability: durability) }
    }
    guard let audit else { return nil }
    self = audit
  }
}

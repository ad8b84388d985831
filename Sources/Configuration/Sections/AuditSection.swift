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

    /// When a file is closed and a new one begun, and how long closed files are kept.
    public struct Rotation: Sendable, Equatable {
      /// Bytes.
      public var size = 100 * 1024 * 1024
      public var every: Duration?
      public var keep: Int?
      public var maxAge: Duration?
      /// Bytes.
      public var totalSize: Int?
      public var compress = true

      public init() {}
    }

    public let directory: NamedFile
    public let durability: Durability
    public let rotation: Rotation
    /// Bytes for all files of requests that nobody was authenticated for.
    public let unauthenticatedSize: Int
    /// The key that signs the log; `nil`: one in the directory, made where it is missing.
    public let checkpointKeyFile: NamedFile?
    /// Whether records are printed on the standard output, too.
    public let stdout: Bool
    /// Which requests are recorded, as a `Policy` of `audit.k8s.io/v1`; `nil`: all.
    public let policyFile: NamedFile?
    /// Bytes of a request's or an answer's body that a record may have.
    public let bodyLimit: Int
  }
}

extension GatewayConfiguration.Audit {
  init?(_ yaml: YAMLCursor) {
    let audit: Self? = yaml.mapping { keys in
      let directory = keys.required("directory")?.file()
      let durability = keys.optional("durability")?.choice(of: Durability.self) ?? .written
      let rotation = keys.optional("rotate").map(Rotation.init) ?? Rotation()
      // Four files share it; a record can have some hundred kilobytes.
      let unauthenticatedSize = keys.optional("unauthenticatedSize")?.size(in: 4_194_304...1_099_511_627_776) ?? 67_108_864
      let checkpointKeyFile = keys.optional("checkpointKeyFile")?.file()
      let stdout = keys.optional("stdout")?.boolean() ?? false
      let policyFile = keys.optional("policyFile")?.file()
      // Written as escapes, both bodies of a record are no longer than a line of the log can be.
      let bodyLimit = keys.optional("bodyLimit")?.size(in: 1024...262_144) ?? 65_536
      return directory.map {
        Self(
          directory: $0, durability: durability, rotation: rotation, unauthenticatedSize: unauthenticatedSize,
          checkpointKeyFile: checkpointKeyFile, stdout: stdout, policyFile: policyFile, bodyLimit: bodyLimit)
      }
    }
    guard let audit else { return nil }
    self = audit
  }
}

extension GatewayConfiguration.Audit.Rotation {
  fileprivate init(_ yaml: YAMLCursor) {
    var rotation = Self()
    _ = yaml.mapping { keys in
      if let size = keys.optional("size")?.size(in: 1_048_576...1_099_511_627_776) { rotation.size = size }
      rotation.every = keys.optional("every")?.duration(in: .seconds(60)...Self.longest)
      rotation.keep = keys.optional("keep")?.integer(in: 1...1_000_000)
      rotation.maxAge = keys.optional("maxAge")?.duration(in: .seconds(60)...Self.longest)
      let totalSize = keys.optional("totalSize")
      rotation.totalSize = totalSize?.size(in: 2_097_152...Int.max / 2)
      rotation.compress = keys.optional("compress")?.boolean() ?? true
      if let total = rotation.totalSize, total < 2 * rotation.size {
        totalSize?.fault("leaves no room beside the file that is written to", "write twice `size` or more")
      }
      return true
    }
    self = rotation
  }

  /// A hundred years.
  private static let longest = Duration.seconds(36_525 * 86_400)
}

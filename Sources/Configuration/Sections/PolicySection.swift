public import SallyportStrictYAML

extension GatewayConfiguration {
  /// Where the rules are that requests are judged by.
  public struct Policy: Sendable, Equatable {
    /// Files, or patterns of files with `*`. Each names one file at least.
    public var files: [NamedFile] = []

    public init() {}
  }

  /// Something's name, and where it is used.
  public struct NameReference: Sendable, Hashable {
    public let name: String
    public let place: FilePlace

    public init(name: String, place: FilePlace) {
      self.name = name
      self.place = place
    }

    public static func == (left: NameReference, right: NameReference) -> Bool { left.name == right.name }
    public func hash(into hasher: inout Hasher) { hasher.combine(self.name) }
  }

  /// Where the description of an upstream's API comes from.
  public enum APIDescription: Sendable, Equatable {
    /// The upstream itself.
    case upstream
    /// An OpenAPI document, version 2 or 3, JSON or YAML.
    case file(NamedFile)
  }
}

extension GatewayConfiguration.Policy {
  init(_ yaml: YAMLCursor) {
    self.init()
    _ = yaml.mapping { keys in
      self.files = keys.required("files")?.list(atLeast: 1) { $0.file() } ?? []
      return ()
    }
    for (index, file) in self.files.enumerated() where self.files[..<index].contains(file) {
      yaml["files"][index].fault("stands in the list twice", "remove it")
    }
  }
}

extension YAMLCursor {
  func nameReference() -> GatewayConfiguration.NameReference? {
    self.name().map { GatewayConfiguration.NameReference(name: $0, place: self.place) }
  }

  func apiDescription() -> GatewayConfiguration.APIDescription? {
    if self.scalarText == "upstream" { return .upstream }
    return self.file().map { .file($0) }
  }
}

/// How much of an OpenAPI document is read before it is refused.
///
/// The largest document of a cluster has some 2.2 MB and 100,000 values; GitHub's own API, one of the largest that are
/// published, 12 MB and 500,000.
public struct OpenAPILimits: Sendable, Hashable {
  /// The most bytes of a JSON document. 32 MiB unless told otherwise.
  public var bytes: Int
  /// The most bytes of a YAML document; YAML costs some ten times the memory and time of JSON. 8 MiB unless told otherwise.
  public var yamlBytes: Int
  /// The most objects and arrays around a value.
  public var depth: Int
  /// The most values and keys, each of which costs 16 bytes.
  public var values: Int
  /// The most operations.
  public var operations: Int

  public init(
    bytes: Int = 32 * 1024 * 1024, yamlBytes: Int = 8 * 1024 * 1024, depth: Int = 128, values: Int = 4_000_000,
    operations: Int = 100_000
  ) {
    self.bytes = bytes
    self.yamlBytes = yamlBytes
    self.depth = depth
    self.values = values
    self.operations = operations
  }
}

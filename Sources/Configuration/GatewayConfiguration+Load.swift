import Crypto
import Foundation
public import SallyportStrictYAML

extension GatewayConfiguration {
  /// Reads a configuration file. Nothing else is opened.
  ///
  /// - Throws: every fault of the file, or the one that it cannot be read
  public static func load(file: String) throws(ConfigurationFaults) -> GatewayConfiguration {
    try self.load(yaml: try readFile(file, limit: YAMLLimits().bytes), fileName: file)
  }

  /// Reads a configuration from bytes.
  ///
  /// - Parameters:
  ///   - yaml: the content, UTF-8
  ///   - fileName: what the file is called in faults; relative paths in the content are seen from its directory
  public static func load(yaml: some Sequence<UInt8>, fileName: String) throws(ConfigurationFaults) -> GatewayConfiguration {
    let bytes = Array(yaml)
    let hash = SHA256.hash(data: bytes).map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }.joined()
    return try StrictYAML.decode(bytes: bytes, fileName: fileName) { GatewayConfiguration($0, hash: hash) }
  }

  /// Reads a configuration from text.
  public static func load(yaml: String, fileName: String) throws(ConfigurationFaults) -> GatewayConfiguration {
    try self.load(yaml: yaml.utf8, fileName: fileName)
  }
}

/// Reads at most one byte more than `limit`, so that a device or a huge file costs no more than a large one.
private func readFile(_ path: String, limit: Int) throws(ConfigurationFaults) -> [UInt8] {
  do {
    let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    defer { try? handle.close() }
    return Array(try handle.read(upToCount: limit + 1) ?? Data())
  } catch {
    let place = FilePlace(file: path, line: 1, column: 1, keyPath: "")
    throw ConfigurationFaults([FileFault(at: place, "cannot be read", FileProblem(error).remedy)])
  }
}

extension GatewayConfiguration {
  /// The key paths that the decoding of `yaml` asks for, present or not, with `[]` for any index: what the manual lists.
  /// Complete for a document that has every mapping at least once.
  public static func knownKeys(of yaml: String) -> Set<String> {
    StrictYAML.keysAsked(by: { GatewayConfiguration($0, hash: "") }, of: yaml)
  }
}

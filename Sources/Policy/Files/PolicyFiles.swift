import Foundation
public import SallyportStrictYAML

/// Reads the policy files that a configuration names.
public enum PolicyFiles {
  /// The files that a path pattern names, sorted: `*` and `?` stand for characters of one path component.
  public static func matching(_ pattern: String) -> [String] {
    var result = glob_t()
    defer { globfree(&result) }
    guard glob(pattern, 0, nil, &result) == 0 else { return [] }
    return (0..<Int(result.gl_pathc)).compactMap { result.gl_pathv[$0].map { String(cString: $0) } }.sorted()
  }

  /// Reads one file.
  ///
  /// - Throws: every fault of the file, or the one that it cannot be read
  public static func load(_ file: String) throws(FileFaults) -> PolicyDocument {
    let limit = YAMLLimits().bytes
    let bytes: Data
    do {
      let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
      defer { try? handle.close() }
      bytes = try handle.read(upToCount: limit + 1) ?? Data()
    } catch {
      let place = FilePlace(file: file, line: 1, column: 1, keyPath: "")
      throw FileFaults([FileFault(at: place, "cannot be read", "name a file that exists and that this user can read")])
    }
    return try PolicyDocument.load(yaml: bytes, fileName: file)
  }
}

import Foundation

/// A directory of a test's own, removed with everything in it when the last reference goes.
public final class TemporaryDirectory: Sendable {
  /// The absolute path, without a slash at the end.
  public let path: String

  public init() {
    let name = "sallyport-test-\(UUID().uuidString)"
    self.path = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
    do {
      try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      preconditionFailure("no test can run without a temporary directory: \(error)")
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: self.path) }

  /// The absolute path of a file or directory in here.
  public func file(_ name: String) -> String { "\(self.path)/\(name)" }

  /// Writes a file and gives its absolute path. Directories on the way are made.
  ///
  /// - Parameter permissions: as in chmod, `0o600` unless told otherwise
  @discardableResult
  public func write(_ content: String, to name: String, permissions: Int = 0o600) throws -> String {
    let path = self.file(name)
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true, attributes: nil)
    try Data(content.utf8).write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.posixPermissions: permissions], ofItemAtPath: path)
    return path
  }

  public func read(_ name: String) throws -> String {
    try String(contentsOfFile: self.file(name), encoding: .utf8)
  }
}

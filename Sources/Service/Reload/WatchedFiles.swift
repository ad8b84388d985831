import SallyportConfiguration
import SallyportFiles
import SallyportPolicy

/// The files that a configuration is made of: itself and those that it names.
struct WatchedFiles: Sendable {
  private var paths: [String]
  /// Patterns of policy files: which files they name is part of what can change.
  private var patterns: [String]

  init(paths: [String], patterns: [String]) {
    self.paths = paths
    self.patterns = patterns
  }

  /// Of a configuration that was not read yet.
  init(file: String) {
    self.paths = [file]
    self.patterns = []
  }

  init(file: String, _ configuration: GatewayConfiguration) {
    // Revocation lists come into force by themselves, without another generation: ``RevocationWatch``.
    // The gateway's own tokens are read anew by themselves, too: ``CredentialWatch``.
    self.paths =
      [file]
      + configuration.namedFiles.filter { ![.auditDirectory, .revocationLists, .signingKeys, .token].contains($0.use) }.map(\.file.path)
    // A key that a rotation adds comes into use like any other change.
    let keys = (configuration.issuer?.signingKeysDirectory.path).map { ["\($0)/*.pem"] } ?? []
    self.patterns = configuration.policy.files.map(\.path) + keys
  }

  /// How the files look now. It asks the file system, which may block.
  func stamps() -> [String: FileStamp] {
    var stamps: [String: FileStamp] = [:]
    for path in self.paths + self.patterns.flatMap(PolicyFiles.matching) { stamps[path] = FileStamp(path) }
    return stamps
  }
}

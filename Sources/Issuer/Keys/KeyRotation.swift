public import Foundation

/// Rotates the keys of a directory.
public struct KeyRotation: Sendable {
  public let directory: KeyDirectory
  /// How long a token lasts at most, in seconds.
  public let tokenLifetime: Double

  /// How long a new key is known before it signs, in seconds: verifiers keep a key set for minutes, and a mounted Secret
  /// arrives within two.
  public static let overlap = 600.0
  /// How much longer a file stays than its key is published, in seconds: for whoever has to look.
  static let remembrance = 86_400.0

  public init(_ directory: KeyDirectory, tokenLifetime: Double) {
    self.directory = directory
    self.tokenLifetime = tokenLifetime
  }

  public struct Result: Sendable {
    /// The new key's file, and from when on it signs.
    public let file: String
    public let begins: Date
    /// Files of keys that were dead for a day, which are gone.
    public let removed: [String]
  }

  /// Makes a key, which signs after the overlap, or at once where there is none that does; removes the long dead.
  ///
  /// - Throws: ``IssuerFault``, also where a key is still waiting to sign: two rotations at once would leave it no time
  public func rotate(_ algorithm: SigningKey.Algorithm, overlap: Double = KeyRotation.overlap, at now: Date) throws(IssuerFault) -> Result {
    let files = FileManager.default.fileExists(atPath: self.directory.path) ? try self.directory.read() : []
    if let next = files.first(where: { $0.entry.begins > now }) {
      throw IssuerFault("\(self.directory.path)/\(next.name): a new key is waiting to sign; rotate again when it does")
    }
    let key = try SigningKey(algorithm)
    // Whole seconds, as the file's name says it.
    let begins = Date(timeIntervalSince1970: (now.timeIntervalSince1970 + (files.isEmpty ? 0 : overlap)).rounded(.down))
    let file = try self.directory.write(KeyRing.Entry(key, begins: begins))
    var removed: [String] = []
    let ring = KeyRing(files.map(\.entry), tokenLifetime: self.tokenLifetime)
    for index in ring.entries.indices where ring.phase(ofEntry: index, at: now.addingTimeInterval(-Self.remembrance)) == .dead {
      guard let old = files.first(where: { $0.entry.key.id == ring.entries[index].key.id }) else { continue }
      try self.directory.remove(old)
      removed.append(old.name)
    }
    return Result(file: file, begins: begins, removed: removed)
  }
}

import Foundation

/// A directory of signing keys, one a file, which replicas share: a volume, or a mounted Secret.
///
/// A file is called `20261125T093000Z-NAME.pem`: the time, in UTC, from which on its key signs, and the beginning of the key's
/// name. Nothing else is kept anywhere, so that keys can be made on one machine and copied in any order. Files of other names
/// are not looked at.
public struct KeyDirectory: Sendable {
  public let path: String

  public init(_ path: String) { self.path = path }

  /// More keys than any rotation leaves behind.
  private static let mostKeys = 32

  public struct File: Sendable {
    public let name: String
    public let entry: KeyRing.Entry
  }

  /// Reads the keys, by the times at which they begin to sign.
  ///
  /// - Throws: ``IssuerFault`` with the file's name: one that cannot be read, that everybody can read, or that holds no key
  public func read() throws(IssuerFault) -> [File] {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: self.path) else {
      throw IssuerFault("\(self.path): the directory cannot be read")
    }
    var files: [File] = []
    for name in names.sorted() {
      guard let begins = Self.time(of: name) else { continue }
      files.append(File(name: name, entry: KeyRing.Entry(try self.key(name), begins: begins)))
    }
    guard files.count <= Self.mostKeys else { throw IssuerFault("\(self.path): the directory holds more than \(Self.mostKeys) keys") }
    return files
  }

  /// The keys as they are used.
  ///
  /// - Throws: ``IssuerFault``, also for a directory without keys
  public func ring(tokenLifetime: Double) throws(IssuerFault) -> KeyRing {
    let files = try self.read()
    guard !files.isEmpty else {
      throw IssuerFault("\(self.path): the directory holds no signing key; `sallyport keys rotate --directory \(self.path)` makes one")
    }
    return KeyRing(files.map(\.entry), tokenLifetime: tokenLifetime)
  }

  /// Writes a key for its owner's eyes alone.
  ///
  /// - Returns: the file's name
  public func write(_ entry: KeyRing.Entry) throws(IssuerFault) -> String {
    do {
      try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw IssuerFault("\(self.path): the directory cannot be made")
    }
    // Letters and digits of the name only: it may begin with a hyphen.
    let short = entry.key.id.filter { $0.isLetter || $0.isNumber }.prefix(8)
    let name = "\(Self.text(of: entry.begins))-\(short).pem"
    // Whole or not there: a replica may look at any moment.
    let temporary = "\(self.path)/.\(name).new"
    unlink(temporary)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw IssuerFault("\(self.path)/\(name): cannot be written") }
    defer { unlink(temporary) }
    let bytes = Array(entry.key.pem.utf8)
    let isWritten =
      bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) } == bytes.count && fsync(descriptor) == 0
    close(descriptor)
    guard isWritten, link(temporary, "\(self.path)/\(name)") == 0 else { throw IssuerFault("\(self.path)/\(name): cannot be written") }
    return name
  }

  public func remove(_ file: File) throws(IssuerFault) {
    guard unlink("\(self.path)/\(file.name)") == 0 else { throw IssuerFault("\(self.path)/\(file.name): cannot be removed") }
  }

  private func key(_ name: String) throws(IssuerFault) -> SigningKey {
    let path = "\(self.path)/\(name)"
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw IssuerFault("\(path): cannot be read")
    }
    // A group may be what a pod's files belong to (fsGroup); everybody is never meant.
    guard status.st_mode & (S_IROTH | S_IWOTH | S_IWGRP) == 0 else {
      throw IssuerFault("\(path): others than the owner can read or change it; chmod 600 \(path)")
    }
    do throws(IssuerFault) {
      return try SigningKey(pem: text)
    } catch {
      throw IssuerFault("\(path): \(error)")
    }
  }

  // MARK: The time in a name

  static func text(of time: Date) -> String {
    var seconds = time_t(time.timeIntervalSince1970.rounded(.down))
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func digits(_ number: Int32, _ count: Int = 2) -> String {
      let text = String(number)
      return String(repeating: "0", count: max(0, count - text.count)) + text
    }
    return "\(digits(parts.tm_year + 1900, 4))\(digits(parts.tm_mon + 1))\(digits(parts.tm_mday))"
      + "T\(digits(parts.tm_hour))\(digits(parts.tm_min))\(digits(parts.tm_sec))Z"
  }

  static func time(of name: String) -> Date? {
    guard let match = name.wholeMatch(of: /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-[A-Za-z0-9]+\.pem/) else { return nil }
    func number(_ text: Substring) -> Int32 { Int32(text) ?? 0 }
    var parts = tm()
    parts.tm_year = number(match.1) - 1900
    parts.tm_mon = number(match.2) - 1
    parts.tm_mday = number(match.3)
    parts.tm_hour = number(match.4)
    parts.tm_min = number(match.5)
    parts.tm_sec = number(match.6)
    let time = Date(timeIntervalSince1970: Double(timegm(&parts)))
    // Normalised otherwise: there is no 31st of February.
    return name.hasPrefix(Self.text(of: time)) ? time : nil
  }
}

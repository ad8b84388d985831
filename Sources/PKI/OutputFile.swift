import Foundation

/// Writes files that must be whole, and secret from the first byte.
public enum OutputFile {
  /// Who may read a file.
  public enum Access: Sendable {
    /// Everybody: `0644`.
    case everybody
    /// The owner alone: `0600`.
    case owner

    fileprivate var mode: mode_t { self == .owner ? 0o600 : 0o644 }
  }

  /// Writes a file all at once: a reader sees the old content, or the new, or none.
  ///
  /// The bytes go to a new file beside it, which is then renamed, or linked where nothing may be replaced, so that two
  /// writers cannot both believe that they were first.
  ///
  /// - Throws: ``PKIError`` when the file exists and `replacing` is false, and when it cannot be written
  public static func write(_ bytes: some Collection<UInt8>, to path: String, access: Access, replacing: Bool) throws(PKIError) {
    let temporary = "\(path).\(UInt64.random(in: .min ... .max)).new"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, access.mode)
    guard descriptor >= 0 else { throw self.failure("cannot write", path) }
    defer { unlink(temporary) }
    // The mode of `open` is narrowed by the umask and never widened; a certificate is to be readable all the same.
    let written = self.writeAll(Array(bytes), to: descriptor) && fchmod(descriptor, access.mode) == 0 && fsync(descriptor) == 0
    let failure = written ? nil : self.failure("cannot write", path)
    close(descriptor)
    if let failure { throw failure }
    if replacing {
      guard rename(temporary, path) == 0 else { throw self.failure("cannot write", path) }
    } else if link(temporary, path) != 0 {
      guard errno == EEXIST else { throw self.failure("cannot write", path) }
      throw PKIError("\(path) exists; use --force to replace it")
    }
  }

  /// Makes a directory that only its owner can enter, and those above it; one that exists is left as it is.
  public static func makeDirectory(_ path: String) throws(PKIError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw PKIError("cannot make the directory \(path)")
    }
  }

  private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    bytes.withUnsafeBytes { buffer in
      var rest = buffer[...]
      while !rest.isEmpty {
        let count = Foundation.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return false }
        rest = rest.dropFirst(count)
      }
      return true
    }
  }

  private static func failure(_ what: String, _ path: String) -> PKIError {
    PKIError("\(what) \(path): \(String(cString: strerror(errno)))")
  }
}

import Foundation
import SallyportCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Where the key that signs the log is kept: read, or made with mode 0600 where there is none.
package enum CheckpointKeyFile {
  /// In the directory of the log, unless the configuration names another file.
  package static let name = "checkpoint.key"
  /// The public half, for reviewers; always in the directory of the log.
  package static let publicName = "checkpoint.pub"

  static func load(_ path: String) throws(Problem) -> CheckpointKey {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 {
      guard errno == ENOENT else { throw self.fault("\(path): \(errorText(errno))") }
      return try self.make(path)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw self.fault("\(path) is no file") }
    guard status.st_mode & (S_IROTH | S_IWOTH) == 0 else {
      throw self.fault("\(path): every user can read or write this key; chmod 600 \(path)")
    }
    guard let content = FileManager.default.contents(atPath: path) else { throw self.fault("\(path): cannot be read") }
    do throws(KeyFault) {
      return try CheckpointKey(pem: String(decoding: content, as: UTF8.self))
    } catch {
      throw self.fault("\(path) \(error)")
    }
  }

  private static func make(_ path: String) throws(Problem) -> CheckpointKey {
    let key = CheckpointKey()
    // Never half a key under its name: a process that is killed here leaves only the file beside it.
    let temporary = "\(path).\(UInt64.random(in: .min ... .max)).new"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw self.fault("\(path): cannot be made: \(errorText(errno))") }
    defer { unlink(temporary) }
    let pem = Array(key.pem.utf8)
    let isWritten = pem.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) } == pem.count && fsync(descriptor) == 0
    let number = errno
    close(descriptor)
    guard isWritten else { throw self.fault("\(path): cannot be written: \(errorText(number))") }
    guard link(temporary, path) == 0 else {
      // Another process was first; its key is the one.
      if errno == EEXIST { return try self.load(path) }
      throw self.fault("\(path): cannot be made: \(errorText(errno))")
    }
    return key
  }

  private static func fault(_ detail: String) -> Problem { .auditKey.with(detail: detail) }
}

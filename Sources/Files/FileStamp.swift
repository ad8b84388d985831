#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// How a file looks from outside. Two stamps that are equal stand for the same content, as far as a file system says.
///
/// The path is followed to its end: Kubernetes changes the files of a ConfigMap or a Secret by having a symbolic link
/// (`..data`) lead to another folder, and neither the link's name nor the time of a file in it need tell.
public struct FileStamp: Sendable, Equatable {
  /// Where the path leads; `nil` for a file that is not there.
  private let resolvedPath: String?
  private let device: UInt64
  private let inode: UInt64
  private let size: Int64
  /// Last changes of content and of the inode, in nanoseconds.
  private let modified: Int64
  private let changed: Int64

  /// - Parameter path: a file's, from the folder that the process runs in; a file that is not there has a stamp, too
  public init(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0, let resolved = realpath(path, nil) else {
      (self.resolvedPath, self.device, self.inode, self.size, self.modified, self.changed) = (nil, 0, 0, 0, 0, 0)
      return
    }
    defer { free(resolved) }
    self.resolvedPath = String(cString: resolved)
    self.device = UInt64(status.st_dev)
    self.inode = UInt64(status.st_ino)
    self.size = Int64(status.st_size)
    self.modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    self.changed = Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec)
  }
}

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Who else can get at an open file or directory.
public enum FilePrivacy: Sendable, Hashable {
  /// Nobody but this process's user.
  case own
  /// It is another user's.
  case foreign
  /// Its mode lets others in.
  case open

  /// - Parameter descriptor: of the file, so that what is judged is what is read
  public init(of descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_uid == geteuid() else {
      self = .foreign
      return
    }
    self = status.st_mode & 0o077 == 0 ? .own : .open
  }
}

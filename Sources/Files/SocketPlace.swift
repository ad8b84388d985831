#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Why a Unix domain socket cannot lie where it is to.
public struct SocketPlaceFault: Error, Sendable, Equatable {
  /// What is wrong, as the end of a sentence about the socket's path.
  public let problem: String
  public let remedy: String

  init(_ problem: String, _ remedy: String) {
    self.problem = problem
    self.remedy = remedy
  }
}

/// Where a Unix domain socket lies that is for one user alone: in a directory that nobody else can enter, so that it does not
/// matter which mode the socket has between its making and its protection.
public enum SocketPlace {
  /// The longest path in bytes: `sun_path` has 108 with the zero behind it (unix(7)).
  public static let longestPath = 107

  /// Makes way for a socket: makes its directory where it is missing, and removes the socket of a process that is gone.
  ///
  /// - Throws: ``SocketPlaceFault`` where somebody else could reach the socket, a process listens there, or something else lies there
  public static func prepare(_ path: String) throws(SocketPlaceFault) {
    let directory = self.directory(of: path)
    if mkdir(directory, 0o700) != 0, errno != EEXIST {
      throw SocketPlaceFault("whose directory is missing and cannot be made", "mkdir -m 0700 \(directory)")
    }
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw SocketPlaceFault("whose directory is none that this user can read", "name a directory of the user that runs the gateway")
    }
    defer { close(descriptor) }
    switch FilePrivacy(of: descriptor) {
    case .own: break
    case .foreign: throw SocketPlaceFault("whose directory is another user's", "name a directory of the user that runs the gateway")
    case .open: throw SocketPlaceFault("whose directory others can enter", "chmod 0700 \(directory)")
    }
    try self.removeStale(path)
  }

  /// Lets nobody but this user connect.
  public static func protect(_ path: String) throws(SocketPlaceFault) {
    guard chmod(path, 0o600) == 0 else { throw SocketPlaceFault("whose mode cannot be set", "name a directory where sockets can lie") }
  }

  /// Removes a socket; anything else stays.
  public static func remove(_ path: String) {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return }
    unlink(path)
  }

  private static func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private static func removeStale(_ path: String) throws(SocketPlaceFault) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else { throw SocketPlaceFault("which is there and is no socket", "name another file") }
    guard !self.isListenedAt(path) else { throw SocketPlaceFault("where another process listens", "end it, or name another file") }
    unlink(path)
  }

  /// A socket that a killed process left refuses every connection.
  private static func isListenedAt(_ path: String) -> Bool {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count <= self.longestPath else { return false }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    #if canImport(Darwin)
      let descriptor = socket(AF_UNIX, SOCK_STREAM, 0)
    #else
      let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    #endif
    guard descriptor >= 0 else { return true }
    defer { close(descriptor) }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
    return result == 0 || errno != ECONNREFUSED
  }
}

import Crypto
public import Foundation
import SallyportFiles

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// What a user has signed in to, in the user's own directory: a file for each gateway, client and session, that nobody else can
/// read, written whole or not at all.
///
/// `$XDG_CACHE_HOME/sallyport`, or `~/.cache/sallyport` (XDG Base Directory Specification).
public struct SignInCache: Sendable {
  let directory: String

  /// - Parameter environment: of the process
  /// - Throws: ``CommandFailure`` where there is neither of the two
  public init(environment: [String: String] = ProcessInfo.processInfo.environment) throws(CommandFailure) {
    // A relative path is to be ignored, says the specification.
    if let cache = environment["XDG_CACHE_HOME"], cache.hasPrefix("/") {
      self.directory = "\(cache)/sallyport"
    } else if let home = environment["HOME"], home.hasPrefix("/") {
      self.directory = "\(home)/.cache/sallyport"
    } else {
      throw CommandFailure("neither XDG_CACHE_HOME nor HOME names a directory")
    }
  }

  /// One place in the cache, locked until it is closed: two programs that renew at a time would spend one refresh token twice.
  public final class Entry {
    private let file: String
    private let lock: Int32

    fileprivate init(file: String, lock: Int32) {
      self.file = file
      self.lock = lock
    }

    deinit { close(self.lock) }

    /// What is there; `nil` where nothing is, or nothing that can be read.
    ///
    /// - Throws: ``CommandFailure`` for a file that others can read or that is another user's
    public func read() throws(CommandFailure) -> SignedIn? {
      let descriptor = openFile(self.file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
      guard descriptor >= 0 else {
        guard errno == ENOENT else { throw CommandFailure("cannot read \(self.file): \(String(cString: strerror(errno)))") }
        return nil
      }
      defer { close(descriptor) }
      try SignInCache.checkPrivacy(of: descriptor, self.file)
      let content = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false).readDataToEndOfFile()
      return try? JSONDecoder().decode(SignedIn.self, from: content)
    }

    /// - Throws: ``CommandFailure`` where it cannot be written
    public func write(_ signedIn: SignedIn) throws(CommandFailure) {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      let temporary = "\(self.file).new"
      unlink(temporary)
      let descriptor = openFile(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else { throw CommandFailure("cannot write \(temporary): \(String(cString: strerror(errno)))") }
      let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
      do {
        try handle.write(contentsOf: try encoder.encode(signedIn))
        try handle.close()
      } catch {
        unlink(temporary)
        throw CommandFailure("cannot write \(temporary)")
      }
      guard rename(temporary, self.file) == 0 else { throw CommandFailure("cannot write \(self.file)") }
    }

    /// Forgets what is there.
    public func remove() { unlink(self.file) }
  }

  /// Opens a place and waits until nobody else has it open.
  ///
  /// - Parameter session: tells several users of one gateway apart
  /// - Throws: ``CommandFailure`` where the directory cannot be made or is open to others
  public func open(_ gateway: GatewayAddress, clientID: String, session: String) throws(CommandFailure) -> Entry {
    do {
      try FileManager.default.createDirectory(
        atPath: self.directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw CommandFailure("cannot make the directory \(self.directory)")
    }
    let directory = openFile(self.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw CommandFailure("cannot open the directory \(self.directory)") }
    defer { close(directory) }
    try Self.checkPrivacy(of: directory, self.directory)
    let digest = SHA256.hash(data: Data([gateway.description, clientID, session].joined(separator: "\u{0}").utf8))
    let name = digest.prefix(16).map { byte in byte < 16 ? "0\(String(byte, radix: 16))" : String(byte, radix: 16) }.joined()
    let file = "\(self.directory)/\(name).json"
    let lock = openFile("\(self.directory)/\(name).lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard lock >= 0 else { throw CommandFailure("cannot lock \(file)") }
    let entry = Entry(file: file, lock: lock)
    let end = ContinuousClock.now + Self.patience
    while flock(lock, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else { throw CommandFailure("cannot lock \(file)") }
      guard ContinuousClock.now < end else {
        throw CommandFailure("another sallyport has been signing in for \(Self.patience) (\(file) is locked); end it, or try again")
      }
      usleep(50_000)
    }
    return entry
  }

  /// How long another program is waited for that has the place open: longer than it waits for whomever it asks.
  private static let patience = Duration.seconds(120)

  private static func checkPrivacy(of descriptor: Int32, _ path: String) throws(CommandFailure) {
    switch FilePrivacy(of: descriptor) {
    case .own: break
    case .foreign: throw CommandFailure("\(path) is another user's")
    case .open: throw CommandFailure("\(path) is open to other users; run: chmod go= \(path)")
    }
  }
}

/// The system's own, whose name a method here has.
private func openFile(_ path: String, _ flags: Int32, _ mode: mode_t = 0) -> Int32 { open(path, flags, mode) }

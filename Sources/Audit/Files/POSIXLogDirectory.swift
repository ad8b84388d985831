#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A directory of the file system.
///
/// Files are opened relative to the directory's descriptor and never through a symbolic link. A call that a signal
/// interrupted is made again.
final class POSIXLogDirectory: LogDirectory {
  let path: String
  private let descriptor: Int32
  private let owner: uid_t

  /// Opens the directory, and makes it and its parents with mode 0750 where they are missing.
  ///
  /// - Parameter owner: the user that files must belong to: the one that this process runs as
  init(_ path: String, owner: uid_t = geteuid()) throws(SystemError) {
    self.path = path
    self.owner = owner
    try Self.make(path)
    self.descriptor = try retrying("open", path) { Self.openDirectory(path) }
  }

  deinit {
    _ = systemClose(self.descriptor)
  }

  private static func openDirectory(_ path: String) -> Int32 {
    #if canImport(Darwin)
      Darwin.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    #else
      Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    #endif
  }

  private static func make(_ path: String) throws(SystemError) {
    if mkdir(path, 0o750) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let slash = path.dropLast().lastIndex(of: "/"), slash > path.startIndex else {
      throw SystemError(call: "mkdir", name: path, number: errno)
    }
    try self.make(String(path[..<slash]))
    guard mkdir(path, 0o750) == 0 || errno == EEXIST else { throw SystemError(call: "mkdir", name: path, number: errno) }
  }

  func open(_ name: String, _ opening: FileOpening) throws(SystemError) -> Int32 {
    // O_NONBLOCK: a FIFO in the file's place fails at once; for a regular file it means nothing.
    var flags = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
    switch opening {
    case .existingOrNew: flags |= O_RDWR | O_APPEND | O_CREAT
    case .new: flags |= O_RDWR | O_APPEND | O_CREAT | O_EXCL
    case .reading: flags |= O_RDONLY
    }
    let file = try retrying("open", self.qualified(name)) { openat(self.descriptor, name, flags, 0o640) }
    do throws(SystemError) {
      let status = try self.status(of: file)
      guard status.st_mode & S_IFMT == S_IFREG else {
        throw SystemError(call: "open (no regular file)", name: self.qualified(name), number: EINVAL)
      }
      guard status.st_uid == self.owner else {
        throw SystemError(call: "open (another user's file)", name: self.qualified(name), number: EPERM)
      }
    } catch {
      self.close(file)
      throw error
    }
    return file
  }

  private func status(of file: Int32) throws(SystemError) -> stat {
    var status = stat()
    guard fstat(file, &status) == 0 else { throw SystemError(call: "fstat", name: self.path, number: errno) }
    return status
  }

  func size(of file: Int32) throws(SystemError) -> Int {
    Int(try self.status(of: file).st_size)
  }

  func read(_ file: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(SystemError) -> Int {
    try retrying("read", self.path) { pread(file, buffer.baseAddress, buffer.count, off_t(offset)) }
  }

  func write(_ file: Int32, _ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int {
    try retrying("write", self.path) { systemWrite(file, bytes) }
  }

  func truncate(_ file: Int32, to size: Int) throws(SystemError) {
    _ = try retrying("truncate", self.path) { ftruncate(file, off_t(size)) }
  }

  func sync(_ file: Int32) throws(SystemError) {
    #if canImport(Darwin)
      _ = try retrying("fsync", self.path) { fsync(file) }
    #else
      _ = try retrying("fdatasync", self.path) { fdatasync(file) }
    #endif
  }

  func close(_ file: Int32) {
    // Not again after EINTR: on Linux the descriptor is gone by then and may be somebody else's.
    _ = systemClose(file)
  }

  func rename(_ name: String, to newName: String) throws(SystemError) {
    _ = try retrying("rename", self.qualified(name)) { renameat(self.descriptor, name, self.descriptor, newName) }
  }

  func remove(_ name: String) throws(SystemError) {
    _ = try retrying("unlink", self.qualified(name)) { unlinkat(self.descriptor, name, 0) }
  }

  func names() throws(SystemError) -> [String] {
    // Another descriptor, because closedir closes its own and the position in a directory is shared.
    let descriptor = try retrying("open", self.path) { openat(self.descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard let stream = fdopendir(descriptor) else {
      let number = errno
      _ = systemClose(descriptor)
      throw SystemError(call: "opendir", name: self.path, number: number)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: entry.pointee.d_name)) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  func isName(_ name: String, of file: Int32) throws(SystemError) -> Bool {
    let open = try self.status(of: file)
    var named = stat()
    guard fstatat(self.descriptor, name, &named, AT_SYMLINK_NOFOLLOW) == 0 else {
      if errno == ENOENT { return false }
      throw SystemError(call: "stat", name: self.qualified(name), number: errno)
    }
    return open.st_ino == named.st_ino && open.st_dev == named.st_dev
  }

  func syncNames() throws(SystemError) {
    _ = try retrying("fsync", self.path) { fsync(self.descriptor) }
  }

  private func qualified(_ name: String) -> String { "\(self.path)/\(name)" }
}

/// The right to write a directory's logs, held by one process: two would tear each other's lines.
///
/// It is an flock(2) on the file `.lock`, so that it ends with the process however that ends, and outlives every
/// rotation of the logs themselves.
final class DirectoryLock: Sendable {
  private let file: Int32

  /// - Throws: EWOULDBLOCK where another process holds the lock
  init(_ directory: POSIXLogDirectory) throws(SystemError) {
    let file = try directory.open(".lock", .existingOrNew)
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      let number = errno
      _ = systemClose(file)
      throw SystemError(call: "flock", name: "\(directory.path)/.lock", number: number)
    }
    self.file = file
  }

  deinit {
    _ = systemClose(self.file)
  }
}

extension SystemError {
  static let inputOutput = EIO
  static let exists = EEXIST
  static let wouldBlock = EWOULDBLOCK
  static let missing = ENOENT

  static func memory(_ name: String) -> SystemError { SystemError(call: "allocate", name: name, number: ENOMEM) }
}

/// Makes a system call until no signal interrupts it.
private func retrying<Count: FixedWidthInteger>(_ call: StaticString, _ name: String, _ body: () -> Count) throws(SystemError) -> Count {
  while true {
    let result = body()
    if result >= 0 { return result }
    let number = errno
    if number != EINTR { throw SystemError(call: call, name: name, number: number) }
  }
}

// The members of the class have the system calls' names and hide them.
private func systemClose(_ file: Int32) -> Int32 { close(file) }
private func systemWrite(_ file: Int32, _ bytes: UnsafeRawBufferPointer) -> Int { write(file, bytes.baseAddress, bytes.count) }

/// The system's words for an error number.
///
/// strerror(3) of glibc answers known numbers with constant strings, which every thread may read.
func errorText(_ number: Int32) -> String { String(cString: strerror(number)) }

/// A directory of log files: the few system calls that the log makes, so that tests can put a failing disk in their place.
///
/// Names are relative to the directory, which stays the same one even when somebody moves another to its path. Calls are
/// blocking. A conforming type holds no state that two callers could disagree on; files are known by their descriptors.
protocol LogDirectory: Sendable {
  /// The path, for messages.
  var path: String { get }

  /// Opens a file to read from it and to append to it; a link, or anything that is no regular file, is an error.
  func open(_ name: String, _ opening: FileOpening) throws(SystemError) -> Int32
  func size(of file: Int32) throws(SystemError) -> Int
  /// Reads up to `buffer.count` bytes at `offset`; 0 at the end.
  func read(_ file: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(SystemError) -> Int
  /// Appends some of the bytes, as write(2) does; returns how many.
  func write(_ file: Int32, _ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int
  func truncate(_ file: Int32, to size: Int) throws(SystemError)
  /// Returns when the file's content is on the disk.
  func sync(_ file: Int32) throws(SystemError)
  func close(_ file: Int32)
  /// Gives a file another name, in place of whatever has that name.
  func rename(_ name: String, to newName: String) throws(SystemError)
  func remove(_ name: String) throws(SystemError)
  /// The names of the files in the directory, in no order.
  func names() throws(SystemError) -> [String]
  /// Whether a name is that of an open file; `false` where there is no such name.
  func isName(_ name: String, of file: Int32) throws(SystemError) -> Bool
  /// Returns when the names of the directory are on the disk.
  func syncNames() throws(SystemError)
}

enum FileOpening: Sendable {
  /// The file, made when it is missing.
  case existingOrNew
  /// A new file; one that has the name already is an error (EEXIST).
  case new
  /// A file that is there, to read from it only.
  case reading
}

/// A system call that failed.
struct SystemError: Error, Equatable, CustomStringConvertible {
  let call: StaticString
  let name: String
  let number: Int32

  var description: String { "\(self.call) \(self.name): \(errorText(self.number)) (errno \(self.number))" }

  static func == (left: SystemError, right: SystemError) -> Bool {
    left.number == right.number && left.name == right.name && left.call.description == right.call.description
  }
}

extension LogDirectory {
  /// Appends all bytes.
  ///
  /// - Parameter written: grows by what was written, also when the call fails half-way
  func writeAll(_ file: Int32, _ bytes: UnsafeRawBufferPointer, written: inout Int) throws(SystemError) {
    let start = written
    while written - start < bytes.count {
      let count = try self.write(file, UnsafeRawBufferPointer(rebasing: bytes[(written - start)...]))
      // A write that neither writes nor fails would be asked again for ever.
      guard count > 0 else { throw SystemError(call: "write", name: self.path, number: SystemError.inputOutput) }
      written += count
    }
  }

  /// Reads as many bytes as there are, up to `count`.
  func read(_ file: Int32, at offset: Int, count: Int) throws(SystemError) -> [UInt8] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
    defer { buffer.deallocate() }
    var filled = 0
    while filled < count {
      let got = try self.read(file, into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]), at: offset + filled)
      guard got > 0 else { break }
      filled += got
    }
    return Array(buffer[..<filled])
  }

  /// Appends all bytes.
  func writeAll(_ file: Int32, _ bytes: [UInt8]) throws(SystemError) {
    let result = bytes.withUnsafeBytes { bytes -> Result<Void, SystemError> in
      var written = 0
      do throws(SystemError) {
        return .success(try self.writeAll(file, bytes, written: &written))
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  /// Puts a whole file in place of whatever has its name: a reader sees the one or the other.
  func replace(_ name: String, with bytes: [UInt8]) throws(SystemError) {
    let temporary = ".\(name).new"
    try? self.remove(temporary)
    let file = try self.open(temporary, .new)
    do throws(SystemError) {
      try self.writeAll(file, bytes)
    } catch {
      self.close(file)
      try? self.remove(temporary)
      throw error
    }
    self.close(file)
    try self.rename(temporary, to: name)
  }

  /// Runs `body` with a file that is opened for reading.
  func reading<Result>(_ name: String, _ body: (Int32) throws(SystemError) -> Result) throws(SystemError) -> Result {
    let file = try self.open(name, .reading)
    defer { self.close(file) }
    return try body(file)
  }
}

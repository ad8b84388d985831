@testable import SallyportAudit

/// A disk under the audit log that is full when a test says so.
final class TestDisk: Sendable {
  private let full = Observed(false)

  var isFull: Bool {
    get { self.full.value }
    set { self.full.update { $0 = newValue } }
  }

  func over(_ directory: any LogDirectory) -> any LogDirectory { Over(disk: self, base: directory) }

  private struct Over: LogDirectory {
    let disk: TestDisk
    let base: any LogDirectory

    var path: String { self.base.path }

    func write(_ file: Int32, _ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int {
      // ENOSPC
      guard !self.disk.isFull else { throw SystemError(call: "write", name: self.path, number: 28) }
      return try self.base.write(file, bytes)
    }

    func open(_ name: String, _ opening: FileOpening) throws(SystemError) -> Int32 { try self.base.open(name, opening) }
    func size(of file: Int32) throws(SystemError) -> Int { try self.base.size(of: file) }
    func read(_ file: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(SystemError) -> Int {
      try self.base.read(file, into: buffer, at: offset)
    }
    func truncate(_ file: Int32, to size: Int) throws(SystemError) { try self.base.truncate(file, to: size) }
    func sync(_ file: Int32) throws(SystemError) { try self.base.sync(file) }
    func close(_ file: Int32) { self.base.close(file) }
    func rename(_ name: String, to newName: String) throws(SystemError) { try self.base.rename(name, to: newName) }
    func remove(_ name: String) throws(SystemError) { try self.base.remove(name) }
    func names() throws(SystemError) -> [String] { try self.base.names() }
    func isName(_ name: String, of file: Int32) throws(SystemError) -> Bool { try self.base.isName(name, of: file) }
    func syncNames() throws(SystemError) { try self.base.syncNames() }
  }
}

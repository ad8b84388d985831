import Foundation
import NIOConcurrencyHelpers

@testable import SallyportAudit

/// A real directory with a disk that does what a test says.
final class FaultyDirectory: LogDirectory {
  struct Faults {
    /// Bytes that still fit; then ENOSPC, after as much as fits was written.
    var room: Int?
    /// The most bytes of one write.
    var writeSize: Int?
    /// Errors by call, until they are taken away.
    var errors: [String: Int32] = [:]
    /// How often each call was made.
    var calls: [String: Int] = [:]
    /// How often a write begins by waiting for the gate.
    var gatedWrites = 0
    /// Called when a file has its new name.
    var afterRename: (@Sendable () -> Void)?
  }

  private let base: any LogDirectory
  private let faults = NIOLockedValueBox(Faults())
  /// Signalled when a gated write has begun.
  let arrived = DispatchSemaphore(value: 0)
  /// Signalled by the test to let it go on.
  let gate = DispatchSemaphore(value: 0)

  init(_ base: any LogDirectory) { self.base = base }

  var path: String { self.base.path }

  func set(_ change: (inout Faults) -> Void) { self.faults.withLockedValue(change) }
  func calls(_ name: String) -> Int { self.faults.withLockedValue { $0.calls[name] ?? 0 } }

  private func count(_ call: StaticString) throws(SystemError) {
    let number = self.faults.withLockedValue { faults in
      faults.calls["\(call)", default: 0] += 1
      return faults.errors["\(call)"]
    }
    if let number { throw SystemError(call: call, name: self.path, number: number) }
  }

  func open(_ name: String, _ opening: FileOpening) throws(SystemError) -> Int32 {
    try self.count("open")
    return try self.base.open(name, opening)
  }

  func size(of file: Int32) throws(SystemError) -> Int { try self.base.size(of: file) }

  func read(_ file: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(SystemError) -> Int {
    // Short reads are allowed, so they happen.
    try self.base.read(file, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, 1000)]), at: offset)
  }

  func write(_ file: Int32, _ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int {
    let isGated = self.faults.withLockedValue { faults in
      faults.gatedWrites -= 1
      return faults.gatedWrites >= 0
    }
    if isGated {
      self.arrived.signal()
      self.gate.wait()
    }
    try self.count("write")
    let (writeSize, room) = self.faults.withLockedValue { ($0.writeSize ?? .max, $0.room ?? .max) }
    guard room > 0 else { throw SystemError(call: "write", name: self.path, number: ENOSPC) }
    let written = try self.base.write(file, UnsafeRawBufferPointer(rebasing: bytes[..<min(bytes.count, writeSize, room)]))
    self.faults.withLockedValue { if $0.room != nil { $0.room! -= written } }
    return written
  }

  func truncate(_ file: Int32, to size: Int) throws(SystemError) {
    try self.count("truncate")
    let before = try self.base.size(of: file)
    try self.base.truncate(file, to: size)
    self.faults.withLockedValue { if $0.room != nil { $0.room! += before - size } }
  }

  func sync(_ file: Int32) throws(SystemError) {
    try self.count("sync")
    try self.base.sync(file)
  }

  func close(_ file: Int32) { self.base.close(file) }

  func rename(_ name: String, to newName: String) throws(SystemError) {
    try self.count("rename")
    try self.base.rename(name, to: newName)
    self.faults.withLockedValue { $0.afterRename }?()
  }

  func remove(_ name: String) throws(SystemError) { try self.base.remove(name) }

  func names() throws(SystemError) -> [String] { try self.base.names() }

  func isName(_ name: String, of file: Int32) throws(SystemError) -> Bool { try self.base.isName(name, of: file) }

  func syncNames() throws(SystemError) {
    try self.count("syncNames")
    try self.base.syncNames()
  }
}

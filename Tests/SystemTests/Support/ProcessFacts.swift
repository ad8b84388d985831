import Foundation
import Testing

/// What the kernel says about a process.
struct ProcessFacts {
  /// Memory in use, in bytes (`VmRSS` of proc(5)).
  let resident: Int
  /// Open descriptors: files and sockets.
  let descriptors: Int

  init(pid: Int32) throws {
    let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
    let kilobytes = try #require(try #/VmRSS:\s+(\d+) kB/#.firstMatch(in: status))
    self.resident = try #require(Int(kilobytes.1)) * 1024
    self.descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
  }
}

extension Int {
  var mebibytes: String { String(format: "%.1f MiB", Double(self) / 1_048_576) }
}

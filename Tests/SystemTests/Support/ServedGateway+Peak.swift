import Crypto
import Foundation
import TestSupport

extension ServedGateway {
  /// The most that the gateway had in memory while `body` ran, in bytes.
  func peak(while body: () async throws -> Void) async throws -> Int {
    let pid = self.process.pid
    let watching = Task {
      var most = 0
      while !Task.isCancelled {
        most = max(most, try ProcessFacts(pid: pid).resident)
        try? await Task.sleep(for: .milliseconds(20))
      }
      return most
    }
    defer { watching.cancel() }
    try await body()
    watching.cancel()
    return try await watching.value
  }
}

enum FileHash {
  /// In hexadecimal, of a file of any size.
  static func sha256(_ path: String) throws -> String {
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    var hash = SHA256()
    while let part = try file.read(upToCount: 1 << 20), !part.isEmpty { hash.update(data: part) }
    return hash.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

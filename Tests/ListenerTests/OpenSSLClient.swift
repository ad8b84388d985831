import Foundation
import TestSupport

/// `openssl s_client`, which can keep a TLS session and come back with it, as no client of our own library can.
struct OpenSSLClient {
  struct Outcome: Sendable {
    let output: String
    /// Whether the handshake resumed the session.
    var isResumed: Bool { self.output.contains("\nReused, ") }
    /// The body of the answer.
    var body: String {
      guard let range = self.output.range(of: "Connection: close\r\n\r\n") else { return "" }
      return self.output[range.upperBound...].prefix { $0 != "\n" && $0 != "\r\n" }.description
    }
  }

  let directory: TemporaryDirectory
  let port: Int

  /// Presents a certificate from now on.
  func write(_ certificate: TestCertificate) throws {
    try self.directory.write(certificate.chainPEM, to: "me.pem")
    try self.directory.write(certificate.privateKeyPEM, to: "me.key")
  }

  /// Asks `/facts` and reads the answer to its end.
  ///
  /// - Parameters:
  ///   - withCertificate: whether the one that was written is presented
  ///   - options: more of s_client's options
  func facts(withCertificate: Bool = true, port: Int? = nil, _ options: String...) async throws -> Outcome {
    let certificate = withCertificate ? ["-cert", self.directory.file("me.pem"), "-key", self.directory.file("me.key")] : []
    return try await self.run(
      ["s_client", "-connect", "127.0.0.1:\(port ?? self.port)", "-servername", "localhost", "-ign_eof"] + certificate + options,
      input: "GET /facts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
  }

  var session: String { self.directory.file("session.pem") }

  private func run(_ arguments: [String], input: String) async throws -> Outcome {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["openssl"] + arguments
    let stdin = Pipe()
    let stdout = Pipe()
    process.standardInput = stdin
    process.standardOutput = stdout
    process.standardError = stdout
    return try await withCheckedThrowingContinuation { continuation in
      // A thread of its own: Dispatch's are those that the tests' tasks run on.
      Thread.detachNewThread {
        do {
          try process.run()
          try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
          let output = stdout.fileHandleForReading.readDataToEndOfFile()
          try? stdin.fileHandleForWriting.close()
          process.waitUntilExit()
          continuation.resume(returning: Outcome(output: String(decoding: output, as: UTF8.self)))
        } catch {
          continuation.resume(throwing: error)
        }
      }
    }
  }
}

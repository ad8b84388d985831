import Foundation
import Glibc
import NIOCore
import NIOPosix
import SallyportFiles
import TestSupport
import Testing

/// Where a control socket may lie, and what is made of what lies there.
@Suite struct SocketPlaceTests {
  private let directory = TemporaryDirectory()

  private func mode(_ path: String) throws -> Int {
    try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
  }

  private func fault(_ path: String) -> SocketPlaceFault? {
    do throws(SocketPlaceFault) {
      try SocketPlace.prepare(path)
      return nil
    } catch {
      return error
    }
  }

  /// A socket that somebody has listened at, and that was not removed.
  private func leaveSocket(at path: String) throws {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let isBound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 }
    }
    try #require(isBound && listen(descriptor, 1) == 0)
  }

  @Test func aDirectoryIsMadeForItsUserAlone() throws {
    let path = self.directory.file("run/control.sock")
    #expect(self.fault(path) == nil)
    #expect(try self.mode(self.directory.file("run")) == 0o700)
    #expect(self.fault(path) == nil, "and is good a second time")
    #expect(self.fault(self.directory.file("a/b/control.sock"))?.problem == "whose directory is missing and cannot be made")
  }

  @Test(arguments: [0o710, 0o701, 0o750, 0o755, 0o777, 0o770])
  func aDirectoryThatOthersCanEnterIsNotTaken(_ mode: Int) throws {
    let path = self.directory.file("run")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    chmod(path, mode_t(mode))
    let fault = self.fault("\(path)/control.sock")
    #expect(fault?.problem == "whose directory others can enter" && fault?.remedy == "chmod 0700 \(path)")
  }

  @Test func whatIsNoSocketStays() throws {
    try FileManager.default.createDirectory(
      atPath: self.directory.file("run"), withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    let path = try self.directory.write("precious", to: "run/control.sock")
    #expect(self.fault(path)?.problem == "which is there and is no socket")
    SocketPlace.remove(path)
    #expect(try self.directory.read("run/control.sock") == "precious")
    #expect(self.fault(try self.directory.write("file", to: "plain") + "/control.sock") != nil)
  }

  @Test func theSocketOfAProcessThatIsGoneMakesWayAndAnothersDoesNot() async throws {
    let path = self.directory.file("run/control.sock")
    #expect(self.fault(path) == nil)
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(unixDomainSocketPath: path).get()
    #expect(self.fault(path)?.problem == "where another process listens")
    try SocketPlace.protect(path)
    #expect(try self.mode(path) == 0o600)
    try await server.close()
    // Closed without being removed, as behind kill -9.
    try self.leaveSocket(at: path)
    #expect(FileManager.default.fileExists(atPath: path))
    #expect(self.fault(path) == nil)
    #expect(!FileManager.default.fileExists(atPath: path))
  }
}

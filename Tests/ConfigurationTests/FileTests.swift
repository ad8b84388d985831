import Foundation
import SallyportConfiguration
import SallyportStrictYAML
import TestSupport
import Testing

@Suite struct FileTests {
  let directory = TemporaryDirectory()

  /// The least configuration in the directory, with its files there.
  private func configuration() throws -> GatewayConfiguration {
    for file in ["server.pem", "server.key", "users.yaml"] { try self.directory.write("x", to: file) }
    let text = leastKeys.replacing("/var/log/sallyport", with: "audit")
    return try GatewayConfiguration.load(file: try self.directory.write(text, to: "s.yaml"))
  }

  private func lines(_ configuration: GatewayConfiguration) -> [String] {
    configuration.checkFiles().map { $0.description.replacing(self.directory.path + "/", with: "") }
  }

  @Test func aFileIsLoadedAndItsFilesAreThere() throws {
    #expect(try self.lines(self.configuration()) == [])
  }

  /// The control socket's directory is made, or is there for one user alone.
  @Test func othersDoNotGetToTheControlSocket() throws {
    _ = try self.configuration()
    func lines(_ socket: String) throws -> [String] {
      let text = try self.directory.read("s.yaml") + "\ncontrol: {socket: \(socket)}\n"
      return self.lines(try GatewayConfiguration.load(yaml: text, fileName: self.directory.file("s.yaml")))
    }
    #expect(try lines("run/control.sock") == [])
    #expect(try lines("a/b/control.sock").first?.contains("whose directory is missing and cannot be made; mkdir -m 0700 a/b") == true)
    let run = self.directory.file("run")
    try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    #expect(try lines("run/control.sock") == [])
    try FileManager.default.setAttributes([.posixPermissions: 0o710], ofItemAtPath: run)
    #expect(try lines("run/control.sock").first?.contains("whose directory others can enter; chmod 0700 run") == true)
  }

  @Test func aFileThatDoesNotExistIsOneFault() {
    let path = self.directory.file("none.yaml")
    #expect(
      throws: ConfigurationFaults([
        FileFault(at: .init(file: path, line: 1, column: 1, keyPath: ""), "cannot be read", "there is no such file: check the path")
      ])
    ) { try GatewayConfiguration.load(file: path) }
    #expect(throws: ConfigurationFaults.self) { try GatewayConfiguration.load(file: self.directory.path) }
  }

  @Test func anEndlessFileIsRefused() {
    #expect(
      throws: ConfigurationFaults([
        FileFault(
          at: .init(file: "/dev/zero", line: 1, column: 1, keyPath: ""), "is larger than 1048576 bytes",
          "split it, or remove what is not needed")
      ])
    ) { try GatewayConfiguration.load(file: "/dev/zero") }
  }

  @Test func filesThatAreMissingAreReportedTogether() throws {
    let configuration = try self.configuration()
    try FileManager.default.removeItem(atPath: self.directory.file("server.pem"))
    try FileManager.default.removeItem(atPath: self.directory.file("users.yaml"))
    #expect(
      self.lines(configuration) == [
        "s.yaml:6:26: listeners[0].tls.certificateFile: names server.pem, which cannot be read; there is no such file: check the path",
        "s.yaml:9:26: authentication.passwords[0].passwordFile.file: names users.yaml, which cannot be read; there is no such file: check the path",
      ])
  }

  @Test func aDirectoryAndAnEmptyFileAreNoCertificates() throws {
    let configuration = try self.configuration()
    try FileManager.default.removeItem(atPath: self.directory.file("server.pem"))
    try FileManager.default.createDirectory(atPath: self.directory.file("server.pem"), withIntermediateDirectories: false)
    try self.directory.write("", to: "server.key")
    #expect(
      self.lines(configuration) == [
        "s.yaml:6:26: listeners[0].tls.certificateFile: names server.pem, which is no file; name a file",
        "s.yaml:6:54: listeners[0].tls.privateKeyFile: names server.key, which is empty; name a file with content",
      ])
  }

  @Test func secretsThatEverybodyCanReadAreAWarning() throws {
    let configuration = try self.configuration()
    try self.directory.write("x", to: "server.key", permissions: 0o644)
    try self.directory.write("x", to: "server.pem", permissions: 0o644)
    #expect(configuration.checkFiles().map(\.severity) == [.warning])
    #expect(
      self.lines(configuration) == [
        "s.yaml:6:54: warning: listeners[0].tls.privateKeyFile: names server.key, which every user can read; chmod o= server.key"
      ])
  }

  @Test func aLinkIsJudgedByWhatItLeadsTo() throws {
    let configuration = try self.configuration()
    try FileManager.default.removeItem(atPath: self.directory.file("server.key"))
    try self.directory.write("x", to: "data/server.key", permissions: 0o600)
    try FileManager.default.createSymbolicLink(atPath: self.directory.file("server.key"), withDestinationPath: "data/server.key")
    #expect(self.lines(configuration) == [])
    try self.directory.write("x", to: "data/server.key", permissions: 0o604)
    #expect(configuration.checkFiles().count == 1)
    try FileManager.default.removeItem(atPath: self.directory.file("data/server.key"))
    #expect(self.lines(configuration).first?.hasSuffix("there is no such file: check the path") == true)
  }

  @Test func theAuditDirectoryIsThereOrCanBeMade() throws {
    let configuration = try self.configuration()
    try FileManager.default.createDirectory(atPath: self.directory.file("audit"), withIntermediateDirectories: false)
    #expect(self.lines(configuration) == [])
    try FileManager.default.removeItem(atPath: self.directory.file("audit"))
    try self.directory.write("x", to: "audit")
    #expect(self.lines(configuration) == ["s.yaml:16:20: audit.directory: names audit, which is no directory; name a directory"])
  }

  @Test func anAuditDirectoryBelowNothingCannotBeMade() throws {
    let text = leastKeys.replacing("/var/log/sallyport", with: "/nowhere/at/all")
    let fault = try load(text).checkFiles().first { $0.place.keyPath == "audit.directory" }
    #expect(fault?.remedy == "make /nowhere/at writable for this user")
  }
}

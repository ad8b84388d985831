import SallyportCore
import SallyportStrictYAML
import Testing

@testable import SallyportAuthentication

@Suite struct HtpasswdTests {
  private func load(_ text: String) throws(FileFaults) -> PasswordFile {
    try PasswordFile(content: Array(text.utf8), name: "htpasswd")
  }

  private func faults(of bytes: [UInt8]) -> [String] {
    do throws(FileFaults) {
      _ = try PasswordFile(content: bytes, name: "htpasswd")
      return []
    } catch {
      return error.faults.map(\.description)
    }
  }

  private func faults(of text: String) -> [String] { self.faults(of: Array(text.utf8)) }

  @Test func linesAreUsersWithoutGroups() throws {
    let file = try self.load("# staff\nalice:\(KnownHash.correctHorse)\n\nzoë smith:\(KnownHash.sha512Vector)")
    #expect(file.count == 2)
    #expect(file.user(named: "alice")?.identity.groups == [])
    #expect(file.user(named: "alice")?.hash.kind == .bcrypt)
    #expect(file.user(named: "zoë smith")?.hash.kind == .sha512)
  }

  @Test func windowsLineEndsAreTaken() throws {
    #expect(try self.load("alice:\(KnownHash.correctHorse)\r\nbob:\(KnownHash.batteryStaple)\r\n").count == 2)
  }

  @Test func allFaultsAreReportedAtOnceWithTheirPlaces() {
    let faults = self.faults(
      of: "alice:$apr1$salt$Xm1RSsHXbzqQPSzTgNkFS0\nbob\n:\(KnownHash.yescrypt)\n c:\(KnownHash.yescrypt)\nzoë:plain\nalice:{SHA}x\n")
    #expect(faults.count == 6)
    #expect(faults[0].hasPrefix("htpasswd:1:7: the hash is an Apache MD5 hash, which is too weak; hash the password with bcrypt"))
    #expect(faults[1].hasPrefix("htpasswd:2:1: the line has no colon; "))
    #expect(faults[2].hasPrefix("htpasswd:3:1: the user name is empty; "))
    #expect(faults[3].hasPrefix("htpasswd:4:1: the user name begins or ends with a blank; "))
    #expect(faults[4].hasPrefix("htpasswd:5:5: the hash is not a password hash of a supported kind; "))
    #expect(faults[5].hasPrefix("htpasswd:6:7: the hash is an unsalted or single-round SHA-1 hash"))
  }

  @Test func aSystemUserIsAFault() {
    #expect(self.faults(of: "system:admin:\(KnownHash.yescrypt)\n").count == 1)
  }

  @Test func aNameStandsOnce() {
    let faults = self.faults(of: "alice:\(KnownHash.yescrypt)\nAlice:\(KnownHash.yescrypt)\n")
    #expect(faults == ["htpasswd:2:1: has the name of the user in line 1, letter case aside; keep one of the two"])
  }

  @Test(arguments: ["alice:\(KnownHash.yescrypt) ", "alice: \(KnownHash.yescrypt)", "alice:\(KnownHash.yescrypt):developers"])
  func nothingStandsAroundAHash(_ line: String) {
    #expect(self.faults(of: line).count == 1)
  }

  @Test func anEmptyFileIsAFault() {
    #expect(self.faults(of: "").count == 1)
    #expect(self.faults(of: "# nobody\n").count == 1)
  }

  @Test func aLineThatIsNotUTF8IsAFault() {
    #expect(
      self.faults(of: [0x61, 0xEB, 0x3A] + Array(KnownHash.yescrypt.utf8)) == [
        "htpasswd:1:1: the line is not UTF-8; save the file in UTF-8"
      ])
  }

  @Test func noFaultRepeatsAHash() {
    for fault in self.faults(of: "a:$1$salt$qJH7.N4xYta3aEG/dfqo/0\n$1$salt$qJH7.N4xYta3aEG/dfqo/0\n") { #expect(!fault.contains("qJH7")) }
  }
}

import Foundation
import SallyportIssuer
import TestSupport
import Testing

/// The directory that replicas share, and its rotation.
@Suite struct KeyDirectoryTests {
  private static let start = Date(timeIntervalSince1970: 1_800_000_000)

  private func rotation(_ directory: TemporaryDirectory) -> KeyRotation {
    KeyRotation(KeyDirectory(directory.file("keys")), tokenLifetime: 300)
  }

  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test func theFirstKeySignsAtOnceAndTheNextAfterTheOverlap() throws {
    let directory = TemporaryDirectory()
    let rotation = self.rotation(directory)
    let first = try rotation.rotate(.es256, at: Self.start)
    #expect(first.begins == Self.start && first.file.hasPrefix("20270115T080000Z-"))
    let second = try rotation.rotate(.rs256, at: Self.start.addingTimeInterval(60))
    #expect(second.begins == Self.start.addingTimeInterval(60 + KeyRotation.overlap))
    // Two at once would leave the first of them no time to be known.
    #expect(self.message { _ = try rotation.rotate(.es256, at: Self.start.addingTimeInterval(90)) }.contains("waiting to sign"))

    let ring = try rotation.directory.ring(tokenLifetime: 300)
    #expect(ring.entries.map(\.begins) == [first.begins, second.begins])
    #expect(ring.entries.map(\.key.algorithm) == [.es256, .rs256])
    for name in [first.file, second.file] {
      let attributes = try FileManager.default.attributesOfItem(atPath: "\(rotation.directory.path)/\(name)")
      #expect(attributes[.posixPermissions] as? Int == 0o600)
    }
    let listing = try KeyListing(rotation.directory, tokenLifetime: 300, at: Self.start.addingTimeInterval(61))
    #expect(listing.keys.map(\.phase) == ["signing", "next"])
    let json = try listing.json()
    #expect(!listing.text.contains("PRIVATE") && !json.contains("PRIVATE"))
  }

  @Test func theLongDeadAreRemoved() throws {
    let directory = TemporaryDirectory()
    let rotation = self.rotation(directory)
    let first = try rotation.rotate(.es256, at: Self.start)
    let second = try rotation.rotate(.es256, at: Self.start.addingTimeInterval(1000))
    #expect(try rotation.rotate(.es256, at: Self.start.addingTimeInterval(3000)).removed.isEmpty)
    #expect(try rotation.rotate(.es256, at: Self.start.addingTimeInterval(100_000)).removed == [first.file, second.file])
    #expect(try rotation.directory.read().count == 2)
  }

  @Test func keysThatOthersCanReadOrThatAreNoneAreFaults() throws {
    let directory = TemporaryDirectory()
    let rotation = self.rotation(directory)
    #expect(self.message { _ = try rotation.directory.ring(tokenLifetime: 300) }.contains("cannot be read"))
    try directory.write("not looked at", to: "keys/README")
    #expect(self.message { _ = try rotation.directory.ring(tokenLifetime: 300) }.contains("sallyport keys rotate"))
    let file = try rotation.rotate(.es256, at: Self.start).file
    let path = "\(rotation.directory.path)/\(file)"
    chmod(path, 0o640)
    #expect(try rotation.directory.read().count == 1)
    for mode: mode_t in [0o644, 0o604, 0o620, 0o602] {
      chmod(path, mode)
      #expect(self.message { _ = try rotation.directory.read() }.contains("chmod 600"))
    }
    chmod(path, 0o600)
    let secret = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"
    try directory.write(secret, to: "keys/20270115T080001Z-abc.pem")
    let message = self.message { _ = try rotation.directory.read() }
    #expect(message.contains("20270115T080001Z-abc.pem: holds no private key") && !message.contains("c2VjcmV0"))
  }

  @Test func onlyTimesAreTimes() throws {
    let directory = TemporaryDirectory()
    let key = try SigningKey(.es256).pem
    for name in ["20270231T080000Z-a.pem", "20270115T250000Z-a.pem", "20270115T080000Z.pem", "20270115T080000Z-a-b.pem", "a.pem"] {
      try directory.write(key, to: "keys/\(name)")
    }
    #expect(try self.rotation(directory).directory.read().isEmpty)
    try directory.write(key, to: "keys/20240229T235959Z-a.pem")
    #expect(try self.rotation(directory).directory.read().map(\.entry.begins) == [Date(timeIntervalSince1970: 1_709_251_199)])
  }
}

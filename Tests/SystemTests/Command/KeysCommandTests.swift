import Foundation
import TestSupport
import Testing

extension SystemTests {
  @Suite struct KeysCommandTests {
    @Test func keysAreRotatedAndListed() async throws {
      let directory = TemporaryDirectory()
      let keys = directory.file("issuer")
      let first = try await sallyport("keys", "rotate", "--directory", keys)
      #expect(first.status == 0 && first.output.contains(".pem signs from "), "\(first.transcript)")
      let second = try await sallyport("keys", "rotate", "--directory", keys, "--algorithm", "RS256")
      #expect(second.status == 0, "\(second.transcript)")
      let third = try await sallyport("keys", "rotate", "--directory", keys)
      #expect(third.status == 1 && third.errors.contains("a new key is waiting to sign"), "\(third.transcript)")
      let files = try FileManager.default.contentsOfDirectory(atPath: keys)
      #expect(files.count == 2)
      for file in files {
        #expect(try FileManager.default.attributesOfItem(atPath: "\(keys)/\(file)")[.posixPermissions] as? Int == 0o600)
      }

      let text = try await sallyport("keys", "list", "--directory", keys)
      let lines = text.output.split(separator: "\n")
      #expect(text.status == 0 && lines.count == 2, "\(text.transcript)")
      #expect(lines[0].contains("  ES256  signing, since ") && lines[1].contains("  RS256  next, signs from "))
      let json = try await sallyport("keys", "list", "--directory", keys, "--output", "json")
      let listed = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [[String: Any]])
      #expect(listed.map { $0["phase"] as? String } == ["signing", "next"])
      #expect(!(first.transcript + text.transcript + json.transcript).contains("PRIVATE KEY"))
    }

    @Test func whatIsWrongIsSaid() async throws {
      let directory = TemporaryDirectory()
      let none = try await sallyport("keys", "list", "--directory", directory.file("none"))
      #expect(none.status == 1 && none.errors.contains("cannot be read"), "\(none.transcript)")
      let both = try await sallyport("keys", "list", "--directory", "a", "--config", "b")
      #expect(both.status == 2, "\(both.transcript)")
      #expect(try await sallyport("keys", "list").status == 2)
    }
  }
}

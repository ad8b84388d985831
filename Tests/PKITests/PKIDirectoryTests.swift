import Foundation
import SallyportPKI
import TestSupport
import Testing
import X509

@Suite struct PKIDirectoryTests {
  let directory = TemporaryDirectory()
  var path: String { self.directory.file("certs") }

  private func permissions(_ name: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: "\(self.path)/\(name)")[.posixPermissions] as? Int
  }

  private func certificates(_ name: String) throws -> [CertificateSummary] { try CertificateSummary.read(file: "\(self.path)/\(name)") }

  @Test func aNewDirectoryHasThreeAuthoritiesAndAFrontProxy() throws {
    let written = try PKIDirectory(self.path).initialize()
    let names = ["server-ca", "client-ca", "front-proxy-ca", "front-proxy"].flatMap { ["\($0).pem", "\($0).key"] }
    #expect(written == names.map { "\(self.path)/\($0)" })
    #expect(try Set(FileManager.default.contentsOfDirectory(atPath: self.path)) == Set(names))
    #expect(try self.certificates("front-proxy.pem").first?.issuer == "CN=Sallyport Front Proxy CA")
    #expect(try self.certificates("front-proxy.pem").first?.commonName == "front-proxy-client")
  }

  @Test func keysAreForTheirOwnerAlone() throws {
    let pki = PKIDirectory(self.path)
    try pki.initialize()
    try pki.issueServer(names: ["localhost"])
    try pki.issueClient("alice", password: "x")
    for name in try FileManager.default.contentsOfDirectory(atPath: self.path) {
      #expect(try self.permissions(name) == (name.hasSuffix(".pem") ? 0o644 : 0o600), "\(name)")
    }
    #expect(try self.permissions("") == 0o700)
  }

  @Test func nothingIsReplacedUnlessForced() throws {
    try PKIDirectory(self.path).initialize()
    let before = try self.directory.read("certs/server-ca.key")
    #expect(throws: PKIError("\(self.path)/server-ca.pem exists; use --force to replace it")) { try PKIDirectory(self.path).initialize() }
    #expect(try self.directory.read("certs/server-ca.key") == before)
    try PKIDirectory(self.path, force: true).initialize()
    #expect(try self.directory.read("certs/server-ca.key") != before)
  }

  @Test func oneFileInTheWayLeavesTheDirectoryAsItWas() throws {
    try self.directory.write("mine", to: "certs/front-proxy.key")
    #expect(throws: PKIError.self) { try PKIDirectory(self.path).initialize() }
    #expect(try FileManager.default.contentsOfDirectory(atPath: self.path) == ["front-proxy.key"])
    #expect(try self.directory.read("certs/front-proxy.key") == "mine")
  }

  @Test func whatIsIssuedIsSignedByTheRightAuthority() throws {
    let pki = PKIDirectory(self.path)
    try pki.initialize()
    try pki.issueServer(names: ["gw.example.org", "10.0.0.1"])
    try pki.issueClient("alice", groups: ["dev"], password: "x")
    let server = try #require(try self.certificates("server.pem").first)
    #expect(server.issuer == "CN=Sallyport Server CA")
    #expect(server.alternativeNames == ["DNS:gw.example.org", "IP:10.0.0.1"])
    #expect(server.purposes == ["serverAuth"])
    let client = try #require(try self.certificates("alice.pem").first)
    #expect(client.issuer == "CN=Sallyport Client CA")
    #expect(client.subject == "CN=alice,O=dev")
    #expect(client.purposes == ["clientAuth"])
    #expect(!client.isAuthority)
    #expect(try self.certificates("client-ca.pem").first?.isAuthority == true)
  }

  @Test func aCertificateDoesNotOutliveItsAuthority() throws {
    let pki = PKIDirectory(self.path)
    let tenYearsAgo = Date(timeIntervalSinceNow: -3649 * 86400)
    try pki.initialize(now: tenYearsAgo)
    try pki.issueClient("alice", password: "x")
    #expect(try self.certificates("alice.pem").first?.notAfter == self.certificates("client-ca.pem").first?.notAfter)
  }

  @Test(arguments: ["../evil", "a/b", "", ".hidden", "-rf", "a b", "ä", "client-ca", "server", "front-proxy", "a\u{0}b"])
  func aUserNameDoesNotChooseAnyFile(name: String) throws {
    let pki = PKIDirectory(self.path, force: true)
    try pki.initialize()
    let before = try FileManager.default.contentsOfDirectory(atPath: self.path).count
    #expect(throws: PKIError.self) { try pki.issueClient(name, password: "x") }
    #expect(try FileManager.default.contentsOfDirectory(atPath: self.path).count == before)
    #expect(try FileManager.default.contentsOfDirectory(atPath: self.directory.path) == ["certs"])
  }

  @Test func aUserWhoseNameIsNoFilesGetsOneThatIsGiven() throws {
    let pki = PKIDirectory(self.path)
    try pki.initialize()
    try pki.issueClient("Ä Ö", fileName: "umlaut", password: "x")
    #expect(try self.certificates("umlaut.pem").first?.commonName == "Ä Ö")
  }

  @Test func withoutAnAuthorityNothingIsIssued() throws {
    #expect(throws: PKIError("cannot read \(self.path)/client-ca.pem; `sallyport pki init` makes the authorities")) {
      try PKIDirectory(self.path).issueClient("alice", password: "x")
    }
  }

  @Test func filesAreWholeOrNotThere() throws {
    let path = self.directory.file("out")
    try OutputFile.write([1, 2], to: path, access: .owner, replacing: false)
    #expect(throws: PKIError("\(path) exists; use --force to replace it")) {
      try OutputFile.write([3], to: path, access: .owner, replacing: false)
    }
    #expect(try Array(Data(contentsOf: URL(fileURLWithPath: path))) == [1, 2])
    try OutputFile.write([3], to: path, access: .everybody, replacing: true)
    #expect(try Array(Data(contentsOf: URL(fileURLWithPath: path))) == [3])
    #expect(throws: PKIError.self) { try OutputFile.write([1], to: self.directory.file("no/such/file"), access: .owner, replacing: false) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: self.directory.path) == ["out"], "nothing temporary is left")
  }

  @Test func aLinkInTheFilesPlaceIsReplacedAndNotFollowed() throws {
    let target = try self.directory.write("target", to: "target")
    try FileManager.default.createSymbolicLink(atPath: self.directory.file("link"), withDestinationPath: target)
    #expect(throws: PKIError.self) { try OutputFile.write([1], to: self.directory.file("link"), access: .owner, replacing: false) }
    try OutputFile.write([1], to: self.directory.file("link"), access: .owner, replacing: true)
    #expect(try self.directory.read("target") == "target")
  }
}

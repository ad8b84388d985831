import NIOSSL
import SallyportPKI
import TestSupport
import Testing

@Suite struct PKCS12Tests {
  @Test func anotherLibraryReadsTheFile() throws {
    let pki = try TestPKI()
    let alice = try pki.client("alice", signedBy: pki.intermediateClientAuthority())
    let file = try PKCS12.encode(
      alice.issued, authorities: [pki.clientAuthority.certificatePEM], friendlyName: "alice", password: "secret ä")
    let bundle = try NIOSSLPKCS12Bundle(buffer: file, passphrase: Array("secret ä".utf8))
    #expect(bundle.certificateChain.count == 3)
    #expect(bundle.certificateChain.first == (try alice.leaf()))
    #expect(bundle.privateKey == (try NIOSSLPrivateKey(bytes: Array(alice.privateKeyPEM.utf8), format: .pem)))
  }

  @Test func withoutItsPasswordTheFileIsClosed() throws {
    let file = try PKCS12.encode(try TestPKI().client("alice").issued, friendlyName: "alice", password: "secret")
    #expect(throws: (any Error).self) { try NIOSSLPKCS12Bundle(buffer: file, passphrase: Array("Secret".utf8)) }
    #expect(throws: (any Error).self) { try NIOSSLPKCS12Bundle(buffer: file) }
  }

  @Test func aPasswordIsDemanded() throws {
    let issued = try TestPKI().client("alice").issued
    #expect(throws: PKIError("a .p12 file needs a password")) { try PKCS12.encode(issued, friendlyName: "alice", password: "") }
    #expect(throws: PKIError("a .p12 file needs a password")) { try PKCS12.encode(issued, friendlyName: "alice", password: "a\u{0}") }
  }

  @Test func anAuthorityThatIsNoCertificateIsRefused() throws {
    let issued = try TestPKI().client("alice").issued
    #expect(throws: PKIError("OpenSSL does not read an authority's certificate")) {
      try PKCS12.encode(issued, authorities: ["x"], friendlyName: "alice", password: "p")
    }
  }
}

import NIOSSL
import SallyportPKI
import TestSupport
import Testing

@testable import SallyportUpstream

@Suite struct ServerIdentityTests {
  @Test(arguments: [
    ("kubernetes", "kubernetes"), ("Kubernetes", "kuberneteS"), ("api.example.org", "api.example.org."),
    ("*.example.org", "api.example.org"), ("*.Example.org", "API.example.ORG"),
  ])
  func namesThatMatch(pattern: String, name: String) {
    #expect(ServerIdentity.matches(pattern: pattern, name: name))
  }

  @Test(arguments: [
    ("kubernetes", "kubernetes.default"), ("*.example.org", "example.org"), ("*.example.org", "a.b.example.org"),
    ("*.org", "example.org"), ("*", "kubernetes"), ("a*.example.org", "ab.example.org"), ("api.*.org", "api.example.org"),
    (".example.org", ".example.org"), ("", ""), ("api.example.org", "api.example.com"),
  ])
  func namesThatDoNotMatch(pattern: String, name: String) {
    #expect(!ServerIdentity.matches(pattern: pattern, name: name))
  }

  @Test func onlyTheDNSNamesOfACertificateCount() throws {
    let pki = try TestPKI()
    let named = try pki.server(names: ["api.example.org", "127.0.0.1"]).leaf()
    #expect(ServerIdentity.certificate(named, holds: "api.example.org"))
    #expect(!ServerIdentity.certificate(named, holds: "127.0.0.1"))
    let byCommonName = try pki.server(names: ["127.0.0.1"]) { $0.commonName = "api.example.org" }.leaf()
    #expect(!ServerIdentity.certificate(byCommonName, holds: "api.example.org"))
    #expect(!ServerIdentity.certificate(nil, holds: "api.example.org"))
  }
}

import NIOCore
import SallyportWire
import Testing

@testable import SallyportCore

/// Whose address counts, given what proxies say.
@Suite struct RequestOriginTests {
  private static let proxies: Set<String> = ["10.0.0.1", "10.0.0.2", "2001:db8::1"]
  private let peer = ClientAddress(ip: "10.0.0.1", port: 4711)

  private func origin(_ values: String...) throws -> RequestOrigin {
    try RequestOrigin(
      of: head(values.map { ("X-Forwarded-For", $0) }).fields, through: self.peer, isTrusted: { Self.proxies.contains($0) })
  }

  @Test(arguments: [
    // The client, and a client behind a second proxy.
    ("203.0.113.7", "203.0.113.7"), ("203.0.113.7, 10.0.0.2", "203.0.113.7"), ("203.0.113.7,10.0.0.2,10.0.0.1", "203.0.113.7"),
    // What stands to the left of it is the client's invention.
    ("192.0.2.1, 203.0.113.7", "203.0.113.7"), ("10.0.0.2, 203.0.113.7", "203.0.113.7"), ("garbage, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
    ("10.0.0.2, \u{1}, 203.0.113.7", "203.0.113.7"),
    // Blanks and empty elements count for nothing; addresses have one form.
    (" \t203.0.113.7 , ,\t", "203.0.113.7"), ("2001:DB8:0::7", "2001:db8::7"), ("::ffff:203.0.113.7", "203.0.113.7"),
    ("203.0.113.7, 2001:DB8::1", "203.0.113.7"),
    // Proxies alone: the farthest.
    ("10.0.0.2", "10.0.0.2"), ("2001:db8::1, 10.0.0.2", "2001:db8::1"),
  ]) func theRightmostAddressThatIsNoProxysCounts(_ value: String, _ expected: String) throws {
    #expect(try self.origin(value).client.ip == expected)
  }

  @Test(arguments: [
    "", " ", ",", "unknown", "_hidden", "203.0.113.7:80", "[2001:db8::7]", "[2001:db8::7]:443", "fe80::1%eth0", "203.0.113", "0x7f.1",
    "203.0.113.256", "2130706433", "203.0.113.7 198.51.100.1", "203.0.113.7;x", "\"203.0.113.7\"", "for=203.0.113.7", "203.0.113.7\0",
    "::g",
    "203.0.113.7, bad", "203.0.113.7, bad, 10.0.0.2", "1.2.3.4.5", "١.2.3.4", "localhost",
  ]) func whatCannotBeReadIsThePeer(_ value: String) throws {
    #expect(try self.origin(value).client == self.peer, "\(value)")
  }

  @Test func withoutTheFieldThePeerCounts() throws {
    #expect(try self.origin().client == self.peer)
    #expect(try self.origin().forwardedFor == "10.0.0.1")
  }

  @Test func repeatedFieldsAreOneList() throws {
    let origin = try self.origin("192.0.2.1, 203.0.113.7", "10.0.0.2")
    #expect(origin.client.ip == "203.0.113.7")
    #expect(origin.claimed == ["192.0.2.1", "203.0.113.7", "10.0.0.2"])
    #expect(origin.forwardedFor == "192.0.2.1, 203.0.113.7, 10.0.0.2, 10.0.0.1")
  }

  @Test func anotherSpellingIsNotTheField() throws {
    let fields = try head([("X_Forwarded_For", "203.0.113.7"), ("X-Forwarded_For", "203.0.113.8")]).fields
    #expect(RequestOrigin(of: fields, through: self.peer, isTrusted: { _ in false }).client == self.peer)
  }

  @Test func onlyAddressesAreClaimedAndNotMoreThanAnybodyHas() throws {
    let many = (0..<1000).map { "192.0.2.\($0 % 250)" }
    let origin = try self.origin("<script>, \u{1B}[2J, " + many.joined(separator: ","))
    #expect(origin.claimed.count == RequestOrigin.mostClaimed)
    #expect(origin.claimed.last == "192.0.2.249")
    #expect(try self.origin("<script>, 203.0.113.7").claimed == ["203.0.113.7"])
  }

  @Test func aStrangerIsNotAsked() throws {
    let fields = try head([("X-Forwarded-For", "203.0.113.7")]).fields
    func facts(trusted: Bool) -> ConnectionFacts {
      ConnectionFacts(
        listener: "main", clientAddress: self.peer, isTrustedPeer: trusted, tlsVersion: nil, serverName: nil, clientCertificate: nil,
        isTrustedAddress: { _ in true })
    }
    let stranger = RequestOrigin(of: fields, on: facts(trusted: false))
    #expect(stranger.client == self.peer && stranger.claimed.isEmpty)
    #expect(RequestOrigin(of: fields, on: facts(trusted: true)).client.ip == "203.0.113.7")
  }
}

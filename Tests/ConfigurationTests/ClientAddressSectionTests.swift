import SallyportConfiguration
import Testing

@Suite struct ClientAddressSectionTests {
  private func faults(_ section: String) -> [String] {
    SallyportConfigurationTests.faults(
      in: leastKeys, replacing: "  tls: {certificateFile: server.pem",
      by: "  clientAddress: \(section)\n  tls: {certificateFile: server.pem")
  }

  @Test func proxiesThatSendAHeaderAreListed() {
    #expect(self.faults("{trustedPeers: [10.0.0.0/8], proxyProtocol: true}") == [])
    #expect(self.faults("{proxyProtocol: false}") == [])
    for section in ["{proxyProtocol: true}", "{proxyProtocol: true, trustedPeers: []}"] {
      #expect(
        self.faults(section) == [
          "6:34: listeners[0].clientAddress.proxyProtocol: expects a header of nobody; list the proxies in `trustedPeers`"
        ])
    }
    #expect(
      self.faults("{trustedPeers: [10.0.0.0/8], proxyProtocol: v2}").map {
        $0.hasPrefix("6:62: listeners[0].clientAddress.proxyProtocol: ")
      } == [true])
  }
}

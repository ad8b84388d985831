import NIOCore
import SallyportCore
import Testing

@testable import SallyportListener

/// Addresses: how they are counted, compared and shown.
@Suite struct ConnectionCounterTests {
  private func peer(_ ip: String) throws -> PeerAddress {
    try #require(PeerAddress(SocketAddress(ipAddress: ip, port: 1)))
  }

  @Test func aConnectionThatGoesMakesRoom() throws {
    var counter = ConnectionCounter(limits: ConnectionLimits(total: 3, perAddress: 2))
    let one = try self.peer("192.0.2.1")
    #expect(counter.enter(one) == nil)
    #expect(counter.enter(one) == nil)
    #expect(counter.enter(one) == ListenerProblem.tooManyConnectionsFromAddress)
    #expect(counter.total == 2)
    #expect(counter.enter(try self.peer("192.0.2.2")) == nil)
    #expect(counter.enter(try self.peer("192.0.2.3")) == ListenerProblem.tooManyConnections)
    counter.leave(one)
    #expect(counter.enter(one) == nil)
  }

  @Test func anIPv6NetworkCountsAsOneAddress() throws {
    var counter = ConnectionCounter(limits: ConnectionLimits(total: 10, perAddress: 1))
    #expect(counter.enter(try self.peer("2001:db8::1")) == nil)
    #expect(counter.enter(try self.peer("2001:db8::ffff:1")) == ListenerProblem.tooManyConnectionsFromAddress)
    #expect(counter.enter(try self.peer("2001:db8:0:1::1")) == nil)
  }

  @Test func anIPv4AddressIsTheSameOverBothKindsOfSocket() throws {
    #expect(try self.peer("::ffff:192.0.2.1") == self.peer("192.0.2.1"))
    #expect(ClientAddress(peer: try SocketAddress(ipAddress: "::ffff:192.0.2.1", port: 7)).description == "192.0.2.1:7")
    #expect(ClientAddress(peer: try SocketAddress(ipAddress: "2001:db8::1", port: 7)).description == "[2001:db8::1]:7")
  }

  @Test func floodsOfOneKindAreReportedOnceInAWhile() {
    var throttle = ReportThrottle<Int>()
    let problem = ListenerProblem.tooManyConnections.with(detail: "many")
    #expect(throttle.report(problem, now: 0) { $0 + 10 }?.detail == "many")
    #expect(throttle.report(problem, now: 5) { $0 + 10 } == nil)
    #expect(throttle.report(ListenerProblem.tooManyConnectionsFromAddress, now: 5) { $0 + 10 } != nil)
    #expect(throttle.report(problem, now: 9) { $0 + 10 } == nil)
    #expect(throttle.report(problem, now: 10) { $0 + 10 }?.detail == "many; 2 more were refused since the last report")
  }

  @Test(arguments: [
    ("10.0.0.0/8", "10.255.1.2", true), ("10.0.0.0/8", "11.0.0.1", false), ("192.0.2.128/25", "192.0.2.129", true),
    ("192.0.2.128/25", "192.0.2.127", false), ("0.0.0.0/0", "203.0.113.9", true), ("192.0.2.1", "192.0.2.1", true),
    ("192.0.2.1", "192.0.2.2", false), ("2001:db8::/33", "2001:db8:7fff::1", true), ("2001:db8::/33", "2001:db8:8000::1", false),
    ("0.0.0.0/0", "2001:db8::1", false), ("10.0.0.0/8", "::ffff:10.1.2.3", true),
  ]) func aRangeHoldsItsAddresses(_ range: String, _ address: String, _ isIn: Bool) throws {
    #expect(try AddressRange(range).contains(SocketAddress(ipAddress: address, port: 1)) == isIn)
  }

  @Test(arguments: ["", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/08", "10.1.2.3/8", "localhost", "2001:db8::/129", "10.0.0/8"])
  func whatIsNoRangeIsRefused(_ text: String) {
    #expect(throws: Problem.self) { try AddressRange(text) }
  }
}

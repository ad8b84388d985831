import NIOCore
import NIOEmbedded
import SallyportAudit
@_spi(Authenticator) import SallyportCore
import Testing

import struct Foundation.Date

@testable import SallyportService

@Suite struct StreamRegistryTests {
  private final class Stream: CuttableStream {
    var cuts: [StreamEnd.Reason] = []
    func cut(_ reason: StreamEnd.Reason) { self.cuts.append(reason) }
  }

  private final class Clock {
    var now = Date(timeIntervalSince1970: 1_000_000)
  }

  private let eventLoop = EmbeddedEventLoop()
  private let clock = Clock()

  private func registry() -> StreamRegistry {
    StreamRegistry(eventLoop: self.eventLoop) { [clock] in clock.now }
  }

  private func facts(_ name: String, expiresIn seconds: Double? = nil, isTunnel: Bool = true) -> StreamFacts {
    let expires = seconds.map { self.clock.now.addingTimeInterval($0) }
    return StreamFacts(
      subject: .identity(Identity(username: name, groups: [], method: .clientCertificate, expires: expires)),
      connection: ConnectionFacts(
        listener: "main", clientAddress: ClientAddress(ip: "192.0.2.1", port: 1), isTrustedPeer: false, tlsVersion: nil, serverName: nil,
        clientCertificate: nil), route: "api", isTunnel: isTunnel)
  }

  private func pass(_ seconds: Int64) {
    self.clock.now.addTimeInterval(Double(seconds))
    self.eventLoop.advanceTime(by: .seconds(seconds))
  }

  @Test func aStreamIsCutWhenItsCredentialEndsAndTheGraceIsOver() {
    let registry = self.registry()
    let strict = Stream()
    let lenient = Stream()
    _ = registry.add(strict, self.facts("a", expiresIn: 10), limits: StreamLimits())
    _ = registry.add(lenient, self.facts("b", expiresIn: 10), limits: StreamLimits(credentialGrace: .seconds(20)))
    self.pass(9)
    #expect(strict.cuts == [])
    self.pass(2)
    #expect(strict.cuts == [.certificateExpired])
    #expect(lenient.cuts == [])
    self.pass(20)
    #expect(lenient.cuts == [.certificateExpired])
    #expect(strict.cuts.count == 1)
  }

  @Test func theSoonerOfCredentialAndAgeCounts() {
    let registry = self.registry()
    let old = Stream()
    let expired = Stream()
    _ = registry.add(old, self.facts("a", expiresIn: 100), limits: StreamLimits(maximumAge: .seconds(50)))
    _ = registry.add(expired, self.facts("a", expiresIn: 20), limits: StreamLimits(maximumAge: .seconds(50)))
    self.pass(21)
    #expect(expired.cuts == [.certificateExpired])
    self.pass(30)
    #expect(old.cuts == [.maximumAge])
  }

  @Test func aDeadlineThatIsSoonerThanThoseBeforeIsKept() {
    let registry = self.registry()
    let late = Stream()
    let soon = Stream()
    _ = registry.add(late, self.facts("a", expiresIn: 50), limits: StreamLimits())
    _ = registry.add(soon, self.facts("b", expiresIn: 5), limits: StreamLimits())
    self.pass(6)
    #expect(soon.cuts == [.certificateExpired])
    #expect(late.cuts == [])
  }

  @Test func aStreamThatHasEndedIsLeftAlone() {
    let registry = self.registry()
    let stream = Stream()
    let id = registry.add(stream, self.facts("a", expiresIn: 5), limits: StreamLimits())
    registry.remove(id)
    #expect(registry.count == 0)
    self.pass(10)
    #expect(stream.cuts == [])
  }

  @Test func aClockThatWasSetForwardIsNoticedWithinAMinute() {
    let registry = self.registry()
    let stream = Stream()
    _ = registry.add(stream, self.facts("a", expiresIn: 86_400), limits: StreamLimits())
    self.clock.now.addTimeInterval(90_000)
    self.eventLoop.advanceTime(by: .seconds(60))
    #expect(stream.cuts == [.certificateExpired])
  }

  @Test func thoseForWhomTheConditionHoldsAreCut() {
    let registry = self.registry()
    let alice = Stream()
    let bob = Stream()
    _ = registry.add(alice, self.facts("alice"), limits: StreamLimits())
    _ = registry.add(bob, self.facts("bob"), limits: StreamLimits())
    let count = registry.cutAll(.credentialExpired) { facts in
      if case .identity(let identity) = facts.subject { identity.username == "alice" } else { false }
    }
    #expect(count == 1)
    #expect(alice.cuts == [.credentialExpired])
    #expect(bob.cuts == [])
  }
}

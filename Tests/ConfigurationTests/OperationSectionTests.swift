import SallyportConfiguration
import Testing

@Suite struct OperationSectionTests {
  @Test func everyKeyIsRead() throws {
    let read = try load(everyKey)
    #expect(read.admin?.address.description == "127.0.0.1:9090")
    #expect(read.control?.socket.path.hasSuffix("/run/control.sock") == true)
    #expect(read.reload.watch == false)
    #expect(read.reload.interval == .seconds(30))
    #expect(read.reload.settle == .seconds(3))
    #expect(read.shutdown.delay == .seconds(4))
    #expect(read.shutdown.grace == .seconds(40))
    #expect(read.shutdown.streamGrace == .seconds(20))
  }

  @Test func withoutThemNobodyLooksInAndFilesAreWatched() throws {
    let read = try load(leastKeys)
    #expect(read.admin == nil)
    #expect(read.control == nil)
    #expect(read.reload == GatewayConfiguration.Reload())
    #expect(read.reload.watch)
    #expect(read.shutdown == GatewayConfiguration.Shutdown())
    #expect(read.shutdown.delay == .zero)
  }

  @Test(arguments: [
    ("admin: {}", "admin.address: is missing; add this key"),
    ("admin: {address: 9090}", "admin.address: names no host; write 0.0.0.0 or [::] in front of the port for all addresses"),
    ("admin: {address: '[::1]:8443'}", "admin.address: is the address of a listener; choose another"),
    ("admin: {address: 127.0.0.1:1, tls: {}}", "admin.tls: is not a known key; known here: address"),
    ("control: {}", "control.socket: is missing; add this key"),
    (
      "control: {socket: run/}", "control.socket: is no path for a socket; name a file in a directory of its own, in at most 107 bytes"
    ),
    (
      "control: {socket: /\(String(repeating: "a", count: 107))}",
      "control.socket: is no path for a socket; name a file in a directory of its own, in at most 107 bytes"
    ),
    ("reload: {interval: 10ms}", "reload.interval: is out of range; write a duration from 100ms to 1h"),
    ("reload: {settle: 2m}", "reload.settle: is out of range; write a duration from 100ms to 1m"),
    ("shutdown: {delay: 1h}", "shutdown.delay: is out of range; write a duration from 0ms to 10m"),
    ("shutdown: {grace: 48h}", "shutdown.grace: is out of range; write a duration from 0ms to 24h"),
    ("shutdown: {streamGrade: 1s}", "shutdown.streamGrade: is not a known key; did you mean `streamGrace`?"),
  ]) func aFaultIsSaidWithItsRemedy(_ section: String, _ fault: String) {
    let faults = faults(in: leastKeys + "\n" + section)
    #expect(faults.count == 1 && faults[0].hasSuffix(fault), "\(faults)")
  }
}

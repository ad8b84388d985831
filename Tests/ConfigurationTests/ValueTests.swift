import SallyportConfiguration
import Testing

/// The values, each through a key that holds one: what is read, and the words for what is not.
@Suite struct ValueTests {
  @Test(arguments: [("250ms", 250), ("30s", 30_000), ("5m", 300_000), ("1h", 3_600_000), ("'2s'", 2000), ("007s", 7000)])
  func durationsAreANumberAndAUnit(written: String, milliseconds: Int) throws {
    let read = try load(everyKey.replacing("headTimeout: 6s", with: "headTimeout: \(written)"))
    #expect(read.listeners[0].limits.headTimeout == .milliseconds(milliseconds))
  }

  @Test(arguments: ["30", "s", "30 s", "-5s", "+5s", "1.5s", "1h30m", "30S", "5d", "٣s", "1:30", "true", "99999999999999999999s"])
  func whatIsNoDurationIsRefused(written: String) {
    #expect(
      faults(in: everyKey, replacing: "headTimeout: 6s", by: "headTimeout: \(written)") == [
        "22:18: listeners[0].limits.headTimeout: is not a duration; write a whole number and a unit, as in 250ms, 30s, 5m or 1h"
      ])
  }

  @Test(arguments: ["0s", "99ms", "61m", "3601s"]) func durationsOutsideOfTheirRangeAreRefused(written: String) {
    #expect(
      faults(in: everyKey, replacing: "headTimeout: 6s", by: "headTimeout: \(written)") == [
        "22:18: listeners[0].limits.headTimeout: is out of range; write a duration from 100ms to 1h"
      ])
  }

  @Test func durationsTooLongToCountAreRefused() {
    #expect(
      faults(in: everyKey, replacing: "headTimeout: 6s", by: "headTimeout: 9000000000000000h") == [
        "22:18: listeners[0].limits.headTimeout: is too long a duration; write a shorter one"
      ])
  }

  @Test(arguments: [("1KiB", 1024), ("2048B", 2048), ("1MiB", 1_048_576)]) func sizesAreANumberAndAUnit(written: String, bytes: Int) throws
  {
    #expect(try load(everyKey.replacing("headBytes: 1MiB", with: "headBytes: \(written)")).listeners[0].limits.headBytes == bytes)
  }

  @Test(arguments: ["64", "64KB", "64kib", "-1KiB", "1.5MiB", "KiB", "64 KiB"]) func whatIsNoSizeIsRefused(written: String) {
    #expect(
      faults(in: everyKey, replacing: "headBytes: 1MiB", by: "headBytes: \(written)") == [
        "17:16: listeners[0].limits.headBytes: is not a size; write a whole number and a unit, as in 64KiB, 100MiB or 2GiB"
      ])
  }

  @Test(arguments: ["2MiB", "1GiB", "1023B", "1048577B"]) func aHeadIsNeverLargerThanTheAPIServerReads(written: String) {
    #expect(
      faults(in: everyKey, replacing: "headBytes: 1MiB", by: "headBytes: \(written)") == [
        "17:16: listeners[0].limits.headBytes: is out of range; write a size from 1KiB to 1MiB"
      ])
  }

  @Test(arguments: [
    ("127.0.0.1:0", "127.0.0.1", 0), ("'[::1]:8443'", "::1", 8443), ("LocalHost:65535", "localhost", 65535),
    ("'[2001:DB8:0::1]:1'", "2001:db8::1", 1), ("gw-1.example.org:8443", "gw-1.example.org", 8443),
  ]) func addressesAreAHostAndAPort(written: String, host: String, port: Int) throws {
    let address = try load(everyKey.replacing("0.0.0.0:8443", with: written)).listeners[0].address
    #expect(address.host == host)
    #expect(address.port == port)
  }

  @Test(arguments: [
    ("0.0.0.0", "has no port; write it as in 0.0.0.0:8443 or [::1]:8443"),
    ("':8443'", "names no host; write 0.0.0.0 or [::] in front of the port for all addresses"),
    ("'::1:8443'", "has an IPv6 address without brackets; write it as in [::1]:8443"),
    ("'[127.0.0.1]:80'", "has no IPv6 address in its brackets; write it as in [::1]:8443"),
    ("'[::1'", "has no IPv6 address in its brackets; write it as in [::1]:8443"),
    ("'[::1]8443'", "has no valid port; write a number up to 65535 behind the colon"),
    ("localhost:65536", "has no valid port; write a number up to 65535 behind the colon"),
    ("'localhost:'", "has no valid port; write a number up to 65535 behind the colon"),
    ("localhost:http", "has no valid port; write a number up to 65535 behind the colon"),
    ("localhost:+80", "has no valid port; write a number up to 65535 behind the colon"),
    ("'*:8443'", "has a wildcard; write each host's name"),
    ("10.0.0.256:80", "is not an address; write all four numbers, each up to 255"),
    ("'a b:80'", "is not a host name; write it without scheme, port or slash, as in api.example.org"),
    ("-a:80", "is not a host name; write it without scheme, port or slash, as in api.example.org"),
    ("a..b:80", "is not a host name; write it without scheme, port or slash, as in api.example.org"),
    ("bücher.example:80", "is not ASCII; write an international name in its xn-- form"),
  ]) func whatIsNoAddressIsRefused(written: String, fault: String) {
    #expect(faults(in: everyKey, replacing: "0.0.0.0:8443", by: written) == ["8:12: listeners[0].address: \(fault)"])
  }

  @Test(arguments: [
    ("10.0.0.1", "is not a range of addresses; write it as in 10.0.0.0/8, 192.0.2.7/32 or 2001:db8::/32"),
    ("example.org/8", "is not a range of addresses; write it as in 10.0.0.0/8, 192.0.2.7/32 or 2001:db8::/32"),
    ("10.0.0.0/33", "has no valid prefix length; write a number from 1 to 32 behind the slash"),
    ("10.0.0.0/", "has no valid prefix length; write a number from 1 to 32 behind the slash"),
    ("'2001:db8::/129'", "has no valid prefix length; write a number from 1 to 128 behind the slash"),
    ("0.0.0.0/0", "holds every address there is; name the addresses of the proxies in front"),
    ("'::/0'", "holds every address there is; name the addresses of the proxies in front"),
    ("10.1.0.0/8", "has bits set behind its prefix; write 10.0.0.0/8, or a longer prefix"),
  ]) func whatIsNoRangeIsRefused(written: String, fault: String) {
    #expect(
      faults(in: everyKey, replacing: "10.0.0.0/8", by: written) == ["15:20: listeners[0].clientAddress.trustedPeers[0]: \(fault)"])
  }

  @Test func rangesHoldTheirAddressesInEitherForm() throws {
    let text = everyKey.replacing("10.0.0.0/8, ", with: "10.0.0.0/9, 192.0.2.7/32, ")
    let ranges = try load(text).listeners[0].clientAddress.trustedPeers
    func holds(_ ip: String) -> Bool { ranges.contains { $0.contains(ip: ip) } }
    for inside in ["10.0.0.0", "10.127.255.255", "192.0.2.7", "2001:db8::", "2001:db8:ffff::1", "::ffff:10.0.0.1"] {
      #expect(holds(inside))
    }
    for outside in ["10.128.0.0", "9.255.255.255", "192.0.2.6", "2001:db9::", "::10.0.0.1", "::ffff:11.0.0.1", "10.0.0", "", "x"] {
      #expect(!holds(outside))
    }
  }

  @Test(arguments: [
    ("https://A.example.org/", "https://a.example.org:443"), ("HTTPS://10.0.0.1", "https://10.0.0.1:443"),
    ("https://[::1]:1", "https://[::1]:1"),
  ]) func serversAreURLsOfAHost(written: String, read: String) throws {
    #expect(try load(everyKey.replacing("https://10.0.0.1:6443", with: written)).upstreams[0].servers[0].description == read)
  }

  @Test(arguments: [
    ("10.0.0.1:6443", "is not an https URL; write it as in https://10.0.0.1:6443"),
    ("ftp://10.0.0.1", "is not an https URL; write it as in https://10.0.0.1:6443"),
    ("https:/10.0.0.1", "is not an https URL; write it as in https://10.0.0.1:6443"),
    ("https://", "names no host; write 0.0.0.0 or [::] in front of the port for all addresses"),
    ("https://u:p@10.0.0.1", "has credentials in it; write it as in https://10.0.0.1:6443"),
    ("https://10.0.0.1/api", "has a path, query or fragment; write it as in https://10.0.0.1:6443"),
    ("https://10.0.0.1?x", "has a path, query or fragment; write it as in https://10.0.0.1:6443"),
    ("https://10.0.0.1:0", "has no valid port; write a number from 1 to 65535 behind the colon"),
    ("http://10.0.0.1", "is not encrypted; write an https URL, or set insecurePlaintext: true on this upstream"),
  ]) func whatIsNoServerIsRefused(written: String, fault: String) {
    #expect(
      faults(in: everyKey, replacing: "https://10.0.0.1:6443", by: written) == ["49:13: upstreams[0].servers[0]: \(fault)"])
  }

  @Test(arguments: [
    ("healthz", "does not begin with a slash; write it as in /healthz"),
    ("/healthz/*", "has a wildcard; write each path, there are no wildcards here"),
    ("/heal%74hz", "has a percent sign; write the path decoded"),
    ("/healthz?verbose", "has a query or fragment; write the path alone"),
    ("'/healthz#x'", "has a query or fragment; write the path alone"),
    ("/a//b", "has an empty or dot segment; write the path that is meant"),
    ("/a/../b", "has an empty or dot segment; write the path that is meant"),
    ("/a/.", "has an empty or dot segment; write the path that is meant"),
    ("'/a b'", "has a blank, a control character or a backslash; write the path without it"),
    ("/a\\b", "has a blank, a control character or a backslash; write the path without it"),
  ]) func whatIsNoAnonymousPathIsRefused(written: String, fault: String) {
    #expect(faults(in: everyKey, replacing: "[/healthz,", by: "[\(written),") == ["72:15: routes[1].anonymous[0]: \(fault)"])
  }

  @Test func aRoutesPathHasNoSlashAtItsEnd() {
    #expect(
      faults(in: everyKey, replacing: "path: /ui", by: "path: /ui/") == [
        "63:49: routes[0].match.path: ends in a slash; write it without; the path itself and all below it are meant"
      ])
  }

  @Test(arguments: ["'a b'", "a/b", "ä", "'a\"b'", String(repeating: "a", count: 64)]) func namesAreFitForALabel(written: String) {
    let found = faults(in: leastKeys, replacing: "name: main", by: "name: \(written)")
    #expect(found == ["4:9: listeners[0].name: is not a name; use up to 63 letters, digits, `-`, `_` and `.`"])
  }

  @Test func namesOfSystemUsersBeginWithTheirPrefix() {
    #expect(
      faults(in: everyKey, replacing: "[\"system:monitor\"]", by: "[monitor]") == [
        "37:13: authentication.allowSystemNames.users[0]: does not begin with `system:`; list only such names; all others are allowed anyway"
      ])
  }

  @Test func aPathOfAFileIsNoShellWord() {
    #expect(
      faults(in: leastKeys, replacing: "/var/log/sallyport", by: "~/audit") == [
        "16:20: audit.directory: begins with `~`; write the path out; only a shell knows `~`"
      ])
  }
}

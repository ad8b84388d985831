import SallyportConfiguration
import Testing

@Suite struct UnknownKeyTests {
  @Test(arguments: [
    ("{lifetime: 30s}", "{lifetime: 30s, negativeLifetime: 5s}", "34:26: authentication.cache.negativeLifetime"),
    ("  impersonation: refuse", "  impersonation: refuse\n  setHeaders: {}", "74:3: routes[1].setHeaders"),
  ]) func whatALaterVersionReadsIsRefusedAsSuch(old: String, new: String, subject: String) {
    #expect(faults(in: everyKey, replacing: old, by: new) == ["\(subject): is not supported in this version; remove it"])
  }

  @Test(arguments: [
    ("kind: Gateway", "kind: Gateway\nlistener: {}", "3:1: listener: is not a known key; did you mean `listeners`?"),
    ("server:", "server:\n  threads: 3", "4:3: server.threads: is not a known key; known here: eventLoops"),
    (
      "    clientCAFile:", "    clientCaFile: x\n    clientCAFile:",
      "12:5: listeners[0].tls.clientCaFile: is not a known key; did you mean `clientCAFile`?"
    ),
    ("{lifetime: 30s}", "{lifetime: 30s, ttl: 1s}", "34:26: authentication.cache.ttl: is not a known key; known here: lifetime"),
    ("  none: {}", "  none: {a: b}", "44:10: credentials[1].none.a: is not a known key; remove it"),
    ("{path: /}", "{path: /, host: [a]}", "68:20: routes[1].match.host: is not a known key; did you mean `hosts`?"),
    ("  durability: synced", "  durabilty: synced", "78:3: audit.durabilty: is not a known key; did you mean `durability`?"),
  ]) func anUnknownKeyIsRefused(old: String, new: String, fault: String) {
    #expect(faults(in: everyKey, replacing: old, by: new) == [fault])
  }

  @Test func allFaultsOfAFileAreReportedAtOnce() {
    let broken = """
      apiVersion: sallyport.dev/v1
      kind: Gateway
      listeners:
      - name: main
        address: 8443
        tls: {certificateFile: server.pem, minimumVersion: "1.1"}
        limits: {headTimout: 3s, idleTimeout: 3}
      authentication: {throttle: [], passwords: {}}
      credentials: []
      upstreams:
      - {name: app, servers: [http://app.example.org], kind: yes}
      routes:
      - {name: all, upstream: ap, credential: front-proxy, authenticate: [pasword], anonymous: [healthz]}
      """
    #expect(
      faults(in: broken) == [
        "1:1: audit: is missing; add this key",
        "1:13: apiVersion: is not a known word; write sallyport.dev/v1alpha1",
        "5:12: listeners[0].address: names no host; write 0.0.0.0 or [::] in front of the port for all addresses",
        "6:8: listeners[0].tls.privateKeyFile: is missing; add this key",
        "6:54: listeners[0].tls.minimumVersion: is not a known word; write 1.2 or 1.3",
        "7:12: listeners[0].limits.headTimout: is not a known key; did you mean `headTimeout`?",
        "7:41: listeners[0].limits.idleTimeout: is not a duration; write a whole number and a unit, as in 250ms, 30s, 5m or 1h",
        "8:28: authentication.throttle: is a list; write a mapping, `key: value` on a line for each key",
        "8:43: authentication.passwords: is a mapping; write a list, a line with `- ` for each item",
        "9:14: credentials: has too few items; list at least 1",
        "11:25: upstreams[0].servers[0]: is not encrypted; write an https URL, or set insecurePlaintext: true on this upstream",
        "11:56: upstreams[0].kind: is not a known word; write kubernetes or generic",
        "13:69: routes[0].authenticate[0]: is not a known word; write clientCertificate or password or token or session",
        "13:91: routes[0].anonymous[0]: does not begin with a slash; write it as in /healthz",
      ])
  }
}

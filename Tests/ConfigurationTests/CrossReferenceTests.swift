import Testing

@Suite struct CrossReferenceTests {
  @Test func namesAreUnique() {
    #expect(
      faults(in: everyKey, replacing: "- name: nobody", by: "- name: front-proxy").contains(
        "43:9: credentials[1].name: is the name of an earlier credential; choose another"))
    #expect(
      faults(in: everyKey, replacing: "- name: api", by: "- name: dashboard") == [
        "67:9: routes[1].name: is the name of an earlier route; choose another"
      ])
  }

  @Test func twoListenersDoNotShareAnAddress() {
    let second = "listeners:\n- {name: other, address: 0.0.0.0:8443, tls: {certificateFile: a, privateKeyFile: b}}"
    #expect(
      faults(in: everyKey, replacing: "listeners:", by: second) == [
        "9:12: listeners[1].address: is the address of an earlier listener; choose another"
      ])
  }

  @Test func aRouteNamesAnUpstreamThatExists() {
    #expect(
      faults(in: everyKey, replacing: "upstream: kubernetes", by: "upstream: kubernets") == [
        "47:9: upstreams[0].name: is used by no route; remove the upstream, or name it in a route",
        "69:13: routes[1].upstream: names no upstream; did you mean `kubernetes`?",
      ])
    #expect(
      faults(in: leastKeys, replacing: "upstream: app", by: "upstream: elsewhere").contains(
        "15:25: routes[0].upstream: names no upstream; add it to `upstreams`, or name one of those"))
  }

  @Test func aRouteNamesACredentialThatExists() {
    #expect(
      faults(in: everyKey, replacing: "credential: front-proxy", by: "credential: front_proxy") == [
        "41:9: credentials[0].name: is used by no route; remove the credential, or name it in a route",
        "70:15: routes[1].credential: names no credential; did you mean `front-proxy`?",
      ])
  }

  @Test func anItemWithFaultsStillHasItsName() {
    #expect(
      faults(in: everyKey, replacing: "kind: kubernetes", by: "kind: cluster") == [
        "48:9: upstreams[0].kind: is not a known word; write kubernetes or generic"
      ])
  }

  @Test func identitiesAreNotPresentedInTheClear() {
    #expect(
      faults(in: everyKey, replacing: "credential: nobody", by: "credential: front-proxy").contains(
        "65:15: routes[0].credential: would present identities to an upstream without TLS; use https servers, or a credential of kind none")
    )
  }

  @Test func identitiesAreNotPresentedToWhomeverTheSystemTrusts() {
    #expect(
      faults(in: everyKey, replacing: "  caFile: certs/cluster-ca.pem\n", by: "") == [
        "69:15: routes[1].credential: would present identities to an upstream without a caFile; add caFile to the upstream"
      ])
  }

  @Test func aRouteAcceptsOnlyWhatIsConfigured() {
    #expect(
      faults(in: leastKeys, replacing: "[password]", by: "[password, clientCertificate]") == [
        "15:75: routes[0].authenticate[1]: is not configured; add authentication.clientCertificates"
      ])
    #expect(
      faults(in: everyKey, replacing: "  passwords:\n  - passwordFile: {file: certs/users.yaml}\n", by: "") == [
        "64:18: routes[0].authenticate[0]: is not configured; add authentication.passwords",
        "69:37: routes[1].authenticate[1]: is not configured; add authentication.passwords",
      ])
    #expect(
      faults(in: everyKey, replacing: "    clientCAFile: certs/client-ca.pem\n", by: "") == [
        "70:18: routes[1].authenticate[0]: cannot happen: no listener has a clientCAFile; add tls.clientCAFile to a listener"
      ])
  }

  @Test func whatIsConfiguredIsAccepted() {
    #expect(
      faults(in: everyKey, replacing: "[clientCertificate, password]", by: "[password]") == [
        "29:23: authentication.clientCertificates: is used by no route; remove it, or list clientCertificate in a route's `authenticate`"
      ])
    #expect(
      faults(in: leastKeys, replacing: "authenticate: [password]", by: "authenticate: [], anonymous: [/]") == [
        "9:3: authentication.passwords: is used by no route; remove it, or list password in a route's `authenticate`"
      ])
  }

  @Test func aRouteLetsSomebodyIn() {
    #expect(
      faults(in: leastKeys, replacing: "[password]", by: "[]").contains(
        "15:64: routes[0].authenticate: lets nobody in; list clientCertificate, password, token or session, or open paths with `anonymous`")
    )
  }

  @Test func nothingIsListedTwice() {
    #expect(
      faults(in: leastKeys, replacing: "[password]", by: "[password, password]") == [
        "15:75: routes[0].authenticate[1]: stands in the list twice; remove it"
      ])
    #expect(
      faults(in: everyKey, replacing: "[/healthz, /version]", by: "[/healthz, /healthz]") == [
        "72:25: routes[1].anonymous[1]: stands in the list twice; remove it"
      ])
    #expect(
      faults(in: everyKey, replacing: "https://[::1]", by: "https://10.0.0.1:6443/") == [
        "49:38: upstreams[0].servers[1]: names the same server as an earlier item; remove it"
      ])
  }

  @Test func anAnonymousPathLiesOnItsRoute() {
    #expect(
      faults(in: everyKey, replacing: "authenticate: [password, token]", by: "authenticate: [password, token]\n  anonymous: [/ui/x, /uix]")
        == [
          "67:22: routes[0].anonymous[1]: is not below the route's path; name a path that this route matches"
        ])
  }

  @Test func plainTextIsAllowedOnlyWhereItIsUsed() {
    #expect(
      faults(in: everyKey, replacing: "http://Dashboard.svc", by: "https://Dashboard.svc") == [
        "58:22: upstreams[1].insecurePlaintext: is true while every server is https; remove it"
      ])
  }

  @Test(arguments: [
    ("{}", "{}"), ("{path: /a}", "{path: /a/b}"), ("{}", "{hosts: [x.org]}"), ("{path: /a}", "{hosts: [x.org], path: /a}"),
    ("{hosts: [x.org, y.org]}", "{hosts: [Y.org], path: /z}"),
  ]) func aRouteBehindAWiderOneIsNeverReached(first: String, second: String) {
    #expect(
      Self.faultsOfRoutes(first, second) == [
        "16:3: routes[1]: is never reached: the earlier route `r0` matches all its requests; move it up, or narrow the earlier route"
      ])
  }

  @Test func aRouteBehindSeveralThatTakeAllItsHostsIsNeverReached() {
    #expect(
      Self.faultsOfRoutes("{hosts: [x.org]}", "{hosts: [y.org]}", "{hosts: [x.org, y.org]}") == [
        "17:3: routes[2]: is never reached: the earlier route `r0` matches all its requests; move it up, or narrow the earlier route"
      ])
  }

  @Test(arguments: [
    ("{path: /a}", "{path: /ab}"), ("{path: /a/b}", "{path: /a}"), ("{hosts: [x.org]}", "{}"),
    ("{hosts: [x.org]}", "{hosts: [x.org, y.org]}"),
    ("{hosts: [x.org], path: /a}", "{hosts: [x.org]}"), ("{hosts: [x.org]}", "{hosts: [y.org]}"),
  ]) func aRouteThatStillGetsRequestsIsFine(first: String, second: String) {
    #expect(Self.faultsOfRoutes(first, second) == [])
  }

  private static func faultsOfRoutes(_ matches: String...) -> [String] {
    let routes = matches.enumerated().map { index, match in
      "- {name: r\(index), match: \(match), upstream: app, credential: nobody, authenticate: [password]}"
    }
    return faults(
      in: leastKeys, replacing: "- {name: all, upstream: app, credential: nobody, authenticate: [password]}",
      by: routes.joined(separator: "\n"))
  }
}

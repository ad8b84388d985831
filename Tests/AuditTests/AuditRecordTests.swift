import Foundation
import NIOCore
@_spi(Authenticator) import SallyportCore
import Testing

@testable import SallyportAudit
@testable import SallyportWire

@Suite struct AuditRecordTests {
  private static let opening =
    #"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"fedcba98-7654-4210-8123-456789abcdef","#
  private static let times =
    #""requestReceivedTimestamp":"2026-03-01T09:05:07.000123Z","stageTimestamp":"2026-03-01T09:05:07.004560Z","#

  @Test(arguments: [(1_000_000, "0.001"), (999_999, "0.000"), (12_345_678_901, "12.345"), (60_050_000_000, "60.050"), (-5, "0.000")])
  func aTunnelsLastRecordSaysHowItEndedAndHowLongItWas(nanoseconds: Int64, seconds: String) throws {
    let record = Samples.record()
    record.upgrade = .spdy
    record.streamEnd = StreamEnd(.certificateExpired, nanoseconds: nanoseconds)
    let line = try ParsedLine(record)
    #expect(line.annotation("upgrade") == "SPDY/3.1")
    #expect(line.annotation("ended") == "certificateExpired")
    #expect(line.annotation("duration") == seconds)
  }

  @Test func theManualNamesEveryEndOfAStream() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let manual = try String(contentsOf: root.appendingPathComponent("docs/AUDIT_LOG.md"), encoding: .utf8)
    for reason in StreamEnd.Reason.allCases { #expect(manual.contains("`\(reason.rawValue)`"), "\(reason)") }
  }

  @Test func anAllowedReadIsThisLine() throws {
    let record = Samples.record()
    record.info = Samples.podReading
    record.subject = .identity(Samples.identity())
    record.decision = .allow(rule: nil)
    record.credential = "requestHeaders"
    record.route = "api"
    record.upstream = "kubernetes"
    record.response = .init(code: 200)
    record.bytesOut = 2048
    let expected =
      Self.opening + #""stage":"ResponseComplete","requestURI":"/api/v1/namespaces/dev/pods/web?pretty=true","verb":"get","#
      + #""user":{"username":"alice","groups":["dev","system:authenticated"]},"sourceIPs":["192.0.2.7"],"#
      + #""userAgent":"kubectl/v1.36.2 (linux/amd64)","#
      + #""objectRef":{"resource":"pods","namespace":"dev","name":"web","apiVersion":"v1"},"#
      + #""responseStatus":{"metadata":{},"code":200},"# + Self.times
      + #""annotations":{"sallyport.dev/listener":"main","sallyport.dev/protocol":"HTTP/1.1","sallyport.dev/tls":"TLSv1.3","sallyport.dev/config":"c0ffee","#
      + #""sallyport.dev/authentication":"clientCertificate","#
      + #""sallyport.dev/original-identity":"{\"subject\":\"CN=alice,O=dev\",\"serial\":\"0a1b\"}","#
      + #""sallyport.dev/decision":"allow","sallyport.dev/route":"api","sallyport.dev/upstream":"kubernetes","#
      + #""sallyport.dev/credential":"requestHeaders","sallyport.dev/bytes-in":"0","sallyport.dev/bytes-out":"2048"}}"# + "\n"
    let line = try ParsedLine(record)
    #expect(line.text == expected)
    #expect(line.members["kind"] as? String == "Event")
    #expect(record.series == .requests)
  }

  @Test func aDeniedImpersonatedExecSaysWhoAskedAsWhomAndWhy() throws {
    let record = Samples.record(.post, uri: ByteBuffer(string: "/api/v1/namespaces/prod/pods/db/exec?command=sh&stdin=true"))
    record.stage = .requestReceived
    record.info = RequestInfo(
      isResourceRequest: true, verb: "create", apiPrefix: "api", apiVersion: "v1", namespace: "prod", resource: "pods", subresource: "exec",
      name: "db")
    record.subject = .identity(
      Samples.identity(uid: "u-1", groups: ["ops"], extra: [.init(key: "example.com/team", values: ["a", "b"])], origin: []))
    record.impersonation = RequestedImpersonation(
      user: "root", uid: "0", groups: ["system:masters"], extra: [.init(key: "why", values: [])])
    record.decision = .deny(rule: "no-shells", message: "Shells are not for \"you\".")
    record.response = .init(code: 403, reason: "Forbidden", message: "pods \"db\" is forbidden")
    record.clientAuditID = "mine"
    let expected =
      Self.opening
      + #""stage":"RequestReceived","requestURI":"/api/v1/namespaces/prod/pods/db/exec?command=sh&stdin=true","verb":"create","#
      + #""user":{"username":"alice","uid":"u-1","groups":["ops"],"extra":{"example.com/team":["a","b"]}},"#
      + #""impersonatedUser":{"username":"root","uid":"0","groups":["system:masters"],"extra":{"why":[]}},"sourceIPs":["192.0.2.7"],"#
      + #""userAgent":"kubectl/v1.36.2 (linux/amd64)","#
      + #""objectRef":{"resource":"pods","namespace":"prod","name":"db","apiVersion":"v1","subresource":"exec"},"#
      + #""responseStatus":{"metadata":{},"status":"Failure","message":"pods \"db\" is forbidden","reason":"Forbidden","code":403},"#
      + Self.times
      + #""annotations":{"sallyport.dev/listener":"main","sallyport.dev/protocol":"HTTP/1.1","sallyport.dev/tls":"TLSv1.3","sallyport.dev/config":"c0ffee","#
      + #""sallyport.dev/authentication":"clientCertificate","sallyport.dev/decision":"deny","sallyport.dev/rule":"no-shells","#
      + #""authorization.k8s.io/decision":"forbid","authorization.k8s.io/reason":"Shells are not for \"you\".","#
      + #""sallyport.dev/client-audit-id":"mine"}}"# + "\n"
    #expect(try ParsedLine(record).text == expected)
  }

  @Test func aFailedHandshakeIsARecordWithoutARequest() throws {
    let problem = Problem("handshakeFailed", blame: .client, status: 400, message: "no", detail: "no cipher in common")
    let record = AuditRecord(
      failedConnection: problem, from: ClientAddress(ip: "2001:db8::1", port: 1), listener: "main", auditID: Samples.auditID(),
      received: Samples.received, configuration: "c0ffee")
    let expected =
      Self.opening + #""stage":"ResponseComplete","requestURI":"","verb":"","user":{},"sourceIPs":["2001:db8::1"],"# + Self.times
      + #""annotations":{"sallyport.dev/listener":"main","sallyport.dev/config":"c0ffee","#
      + #""sallyport.dev/error":"handshakeFailed: no cipher in common"}}"# + "\n"
    #expect(try ParsedLine(record).text == expected)
    #expect(record.series == .unauthenticated)
  }

  @Test func aRequestForNoResourceHasNoObjectAndTheMethodAsVerb() throws {
    let record = Samples.record(.head, uri: ByteBuffer(string: "/healthz"), userAgent: nil)
    record.info = RequestInfo(isResourceRequest: false, verb: "head", path: "/healthz")
    record.subject = .anonymous
    let line = try ParsedLine(record)
    #expect(line.string("verb") == "head")
    #expect(!line.has("objectRef"))
    #expect(!line.has("userAgent"))
    #expect(line.string("user", "username") == "system:anonymous")
    #expect(line.strings("user", "groups") == ["system:unauthenticated"])
    #expect(line.annotation("authentication") == "anonymous")
    #expect(record.series == .unauthenticated)
  }

  @Test(arguments: [
    (SallyportWire.Method.get, "get"), (.head, "head"), (.post, "post"), (.put, "put"), (.patch, "patch"), (.delete, "delete"),
    (.options, "options"), (.connect, "connect"), (.trace, "trace"), (.other("PropFind"), "propfind"),
  ])
  func aRequestThatIsNotReadAsKubernetesHasItsMethodAsVerb(_ method: SallyportWire.Method, _ verb: String) throws {
    #expect(try ParsedLine(Samples.record(method)).string("verb") == verb)
  }

  @Test func aMethodThatTheServerGivesNoVerbIsStillNamed() throws {
    let record = Samples.record(.options)
    record.info = RequestInfo(isResourceRequest: true, verb: "", apiPrefix: "api", apiVersion: "v1", namespace: "dev", resource: "pods")
    #expect(try ParsedLine(record).string("verb") == "options")
  }

  @Test func namedGroupsAndSubresourcesStandInTheObject() throws {
    let record = Samples.record(.patch)
    record.info = RequestInfo(
      isResourceRequest: true, verb: "patch", apiPrefix: "apis", apiGroup: "apps", apiVersion: "v1", namespace: "dev",
      resource: "deployments",
      subresource: "scale", name: "web")
    let line = try ParsedLine(record)
    #expect(
      line.text.contains(
        #""objectRef":{"resource":"deployments","namespace":"dev","name":"web","apiGroup":"apps","apiVersion":"v1","subresource":"scale"}"#)
    )
  }

  @Test(arguments: [
    ("GET /x?token=abc HTTP/1.1", "get", "/x?token=REDACTED"), ("GET  /x HTTP/1.1", "get", " /x"), ("GET /a b HTTP/9.9", "get", "/a b"),
    ("POST /only", "post", "/only"), ("GET HTTP/1.1", "get", "HTTP/1.1"), ("\u{16}\u{3}\u{1}", "", "\u{16}\u{3}\u{1}"), ("", "", ""),
    ("GET ", "get", ""),
  ])
  func aLineThatNobodyUnderstoodIsShownAsFarAsItCame(_ line: String, _ verb: String, _ uri: String) throws {
    let malformed = MalformedMessage("a bad line", requestLine: ByteBuffer(string: line))
    let record = AuditRecord(
      AuditedRequest(malformed), of: Samples.connection(), auditID: Samples.auditID(), received: Samples.received, configuration: "c")
    record.response = .init(code: 400)
    let parsed = try ParsedLine(record)
    #expect(parsed.string("verb") == verb)
    #expect(parsed.string("requestURI") == uri)
    #expect(parsed.isOneCleanLine)
  }

  @Test func aHeadThatWasReadGivesItsTargetAsSentAndItsUserAgent() throws {
    var fields = HeaderFields()
    try fields.append("user-agent", "curl/8")
    let raw = ByteBuffer(string: "/a%2Fb?x=1")
    let target = RequestTarget(form: .origin, raw: raw, forwarded: raw, path: "/a/b", query: "x=1", oddities: .encodedSlash)
    let record = AuditRecord(
      AuditedRequest(RequestHead(method: .put, target: target, fields: fields)), of: Samples.connection(ip: "", tls: nil),
      auditID: Samples.auditID(), received: Samples.received, configuration: "c")
    let line = try ParsedLine(record)
    #expect(line.string("requestURI") == "/a%2Fb?x=1")
    #expect(line.string("verb") == "put")
    #expect(line.string("userAgent") == "curl/8")
    #expect(!line.has("sourceIPs"))
    #expect(line.annotation("tls") == nil)
  }

  @Test(arguments: AuditRecord.Stage.allCases)
  func byteCountsStandWhereTheRequestEnds(_ stage: AuditRecord.Stage) throws {
    let record = Samples.record()
    record.stage = stage
    record.bytesIn = .max
    record.bytesOut = 7
    let line = try ParsedLine(record)
    let ends = stage == .responseComplete || stage == .panic
    #expect(line.annotation("bytes-in") == (ends ? "18446744073709551615" : nil))
    #expect(line.annotation("bytes-out") == (ends ? "7" : nil))
    #expect(
      line.string("stage")
        == ["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"][AuditRecord.Stage.allCases.firstIndex(of: stage)!])
  }

  @Test func annotationsAreLastAndNeverEmptySoThatAWriterCanAddOne() throws {
    let record = AuditRecord(
      .none, of: Samples.connection(tls: nil), auditID: Samples.auditID(), received: Samples.received, configuration: "")
    let line = try ParsedLine(record)
    #expect(line.text.hasSuffix("\"}}\n"))
    let chained = Array((String(line.text.dropLast(3)) + #","sallyport.dev/chain":"00"}}"# + "\n").utf8)
    #expect(try ParsedLine(chained).annotation("chain") == "00")
  }

  @Test func valuesOfAnExtraKeyThatComesAgainStandUnderTheFirst() throws {
    let record = Samples.record()
    // Two spellings of one character are equal for Swift, and two keys for the API server.
    record.subject = .identity(
      Samples.identity(extra: [
        .init(key: "k", values: ["1"]), .init(key: "\u{E9}", values: ["2"]), .init(key: "k", values: ["3"]),
        .init(key: "e\u{301}", values: ["4"]),
      ]))
    #expect(
      try ParsedLine(record).text.contains(#""extra":{"k":["1","3"],"\#u{E9}":["2"],"e\#u{301}":["4"]}"#))
  }

  @Test func factsOfOneNameAreNumberedAndCannotForgeOthers() throws {
    let record = Samples.record()
    record.subject = .identity(
      Samples.identity(origin: [.init("san", "a\",\"serial\":\"1"), .init("san", "b\\\n\u{7F}"), .init("serial", "2")]))
    let line = try ParsedLine(record)
    let inner = try ParsedLine(Array((line.annotation("original-identity") ?? "").utf8))
    #expect(inner.members as? [String: String] == ["san": "a\",\"serial\":\"1", "san-2": "b\\\n\u{7F}", "serial": "2"])
  }

  @Test func recordsFollowOneAnotherInOneBuffer() throws {
    var buffer = ByteBuffer(string: "before\n")
    buffer.moveReaderIndex(forwardBy: 3)
    let record = Samples.record()
    record.encode(into: &buffer, at: Samples.reached)
    record.encode(into: &buffer, at: Samples.reached)
    let one = try ParsedLine(record).text
    #expect(String(buffer: buffer) == "ore\n" + one + one)
  }
}

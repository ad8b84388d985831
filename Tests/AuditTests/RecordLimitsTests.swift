import NIOCore
@_spi(Authenticator) import SallyportCore
import SallyportWire
import Testing

@testable import SallyportAudit

@Suite struct RecordLimitsTests {
  @Test func aURIOfEightKibibytesIsWholeAndALongerOneIsCutWithItsLengthAndHash() throws {
    let fits = "/" + String(repeating: "a", count: 8 * 1024 - 1)
    let whole = try ParsedLine(Samples.record(uri: ByteBuffer(string: fits)))
    #expect(whole.string("requestURI") == fits)
    #expect(whole.annotation("truncated") == nil)
    #expect(whole.annotation("request-uri-sha256") == nil)

    let long = fits + "b"
    let cut = try ParsedLine(Samples.record(uri: ByteBuffer(string: long)))
    #expect(cut.string("requestURI") == fits)
    #expect(cut.annotation("truncated") == "requestURI")
    #expect(cut.annotation("request-uri-length") == "8193")
    #expect(cut.annotation("request-uri-sha256") == "6c546c32796de3be0aea2053624755c4e17a6530c484916af9b076ddc9429599")
  }

  @Test func theHashOfACutURITellsNothingOfItsSecrets() throws {
    let path = "/" + String(repeating: "a", count: 9_000)
    let cut = try ParsedLine(Samples.record(uri: ByteBuffer(string: path + "?password=hunter2")))
    #expect(cut.annotation("request-uri-length") == "9018")
    // Of the URI that ends with `?password=REDACTED`.
    #expect(cut.annotation("request-uri-sha256") == "2b317700a378f37f4db136cc80f6eade7bd43be63edfaed2404456b97358fc6a")
  }

  @Test func redactionThatMakesAURILongerDoesNotCarryItOverTheLimit() throws {
    let uri = "/?" + String(repeating: "code=a&", count: 1_000)
    let line = try ParsedLine(Samples.record(uri: ByteBuffer(string: uri)))
    #expect(line.string("requestURI")?.utf8.count == 8 * 1024)
    #expect(line.annotation("request-uri-length") == "7002")
  }

  @Test func textIsCutBetweenScalarsAndNotInThem() throws {
    for (count, kept) in [(509, 512), (510, 510), (511, 511), (512, 512)] {
      // Three bytes that fit behind 509, and do not behind 510 and 511.
      let line = try ParsedLine(Samples.record(userAgent: String(repeating: "x", count: count) + "\u{20AC}y"))
      #expect(line.string("userAgent")?.utf8.count == kept, "\(count)")
      #expect(line.annotation("truncated") == "userAgent")
    }
    #expect(try ParsedLine(Samples.record(userAgent: String(repeating: "x", count: 512))).annotation("truncated") == nil)
  }

  @Test func everyFieldThatIsTooLongIsCutAndNamed() throws {
    let long = String(repeating: "l", count: 5_000)
    let record = Samples.record(.other(long))
    record.subject = .identity(Samples.identity(long))
    record.impersonation = RequestedImpersonation(user: "a", uid: long)
    record.info = RequestInfo(isResourceRequest: true, verb: "", resource: "pods", name: long)
    record.response = .init(code: 400, message: long)
    record.clientAuditID = long
    let line = try ParsedLine(record)
    #expect(line.string("verb")?.count == 32)
    #expect(line.string("user", "username")?.count == 1024)
    #expect(line.string("impersonatedUser", "uid")?.count == 1024)
    #expect(line.string("objectRef", "name")?.count == 1024)
    #expect(line.string("responseStatus", "message")?.count == 2048)
    #expect(line.annotation("client-audit-id")?.count == 256)
    #expect(line.annotation("truncated") == "verb,user,impersonatedUser,objectRef,responseStatus,annotations")
  }

  @Test func listsAreCutByNumberAndByBytes() throws {
    let record = Samples.record()
    record.subject = .identity(Samples.identity(groups: (0..<300).map { "g\($0)" }))
    #expect(try ParsedLine(record).strings("user", "groups") == (0..<256).map { "g\($0)" })
    #expect(try ParsedLine(record).annotation("truncated") == "user")

    record.subject = .identity(Samples.identity(groups: (0..<256).map { "g\($0)" }))
    #expect(try ParsedLine(record).annotation("truncated") == nil)

    record.subject = .identity(Samples.identity(groups: Array(repeating: String(repeating: "g", count: 1_000), count: 100)))
    #expect(try ParsedLine(record).strings("user", "groups")?.count == 16)

    record.subject = .identity(Samples.identity(extra: (0..<100).map { .init(key: "k\($0)", values: ["v"]) }))
    let line = try ParsedLine(record)
    #expect(line.strings("user", "extra", "k63") == ["v"])
    #expect(!line.has("user", "extra", "k64"))
    #expect(line.annotation("truncated") == "user")

    record.subject = .identity(Samples.identity(extra: [.init(key: "k", values: Array(repeating: "", count: 100_000))]))
    #expect(try ParsedLine(record).strings("user", "extra", "k")?.count == 4_094)
  }

  @Test func keysThatAreOneAfterTheCutAreOneMember() throws {
    let long = String(repeating: "k", count: 1_024)
    let record = Samples.record()
    record.subject = .identity(
      Samples.identity(extra: [
        .init(key: long + "a", values: ["1"]), .init(key: long + "b", values: ["2"]), .init(key: long.dropLast() + "\u{E9}", values: ["3"]),
        .init(key: long.dropLast() + "\u{E8}", values: ["4"]),
      ]))
    let line = try ParsedLine(record)
    #expect(line.strings("user", "extra", long) == ["1", "2"])
    #expect(line.strings("user", "extra", String(long.dropLast())) == ["3", "4"])
  }

  @Test func theWorstRecordIsBounded() throws {
    let worst = String(repeating: "\u{1}", count: 70_000)
    let many = Array(repeating: worst, count: 2_000)
    let record = AuditRecord(
      AuditedRequest(line: .read(.other(worst), uri: ByteBuffer(string: worst)), userAgent: nil),
      of: ConnectionFacts(
        listener: worst, clientAddress: ClientAddress(ip: worst, port: 1), isTrustedPeer: false, tlsVersion: worst, serverName: nil,
        clientCertificate: nil), auditID: Samples.auditID(), received: Samples.received, configuration: worst)
    record.subject = .identity(
      Samples.identity(
        worst, uid: worst, groups: many, extra: (0..<100).map { .init(key: "\($0)" + worst, values: many) },
        origin: (0..<100).map { .init("\($0)" + worst, worst) }))
    record.impersonation = RequestedImpersonation(user: worst, uid: worst, groups: many, extra: [.init(key: worst, values: many)])
    record.info = RequestInfo(
      isResourceRequest: true, verb: worst, apiGroup: worst, apiVersion: worst, namespace: worst, resource: worst, subresource: worst,
      name: worst)
    record.decision = .deny(rule: worst, message: worst)
    record.problem = Problem("code", blame: .client, status: 400, message: worst, detail: worst)
    record.response = .init(code: 400, reason: worst, message: worst)
    record.clientAuditID = worst
    record.credential = worst
    record.route = worst
    record.upstream = worst
    let line = try ParsedLine(record)
    #expect(line.isOneCleanLine)
    #expect(line.bytes.count < 1_200_000)
  }
}

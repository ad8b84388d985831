import Foundation
import SallyportAudit
import Testing

@testable import SallyportAuditReview

@Suite struct ShowTests {
  private let folder: ReviewFolder

  init() throws {
    self.folder = try ReviewFolder()
    var lines: [SampleLine] = []
    func add(_ change: (inout SampleLine) -> Void) {
      var line = SampleLine()
      line.auditID = "00000000-0000-4000-8000-00000000000\(lines.count)"
      line.time = "2026-03-01T09:0\(lines.count):00.000000Z"
      change(&line)
      lines.append(line)
    }
    add { $0.verb = "list" }
    add { line in
      line.user = "bob"
      line.groups = ["ops"]
      line.verb = "create"
      line.object = ["resource": "pods", "subresource": "exec", "namespace": "prod", "name": "db"]
      line.code = 403
      line.annotations["sallyport.dev/decision"] = "deny"
      line.annotations["sallyport.dev/rule"] = "no-shells"
    }
    add { line in
      line.object = ["resource": "deployments", "apiGroup": "apps", "namespace": "dev", "name": "web"]
      line.verb = "patch"
      line.address = "2001:db8::1"
      line.annotations["sallyport.dev/authentication"] = "clientCertificate"
    }
    add { line in
      line.impersonated = "carol"
      line.stage = "RequestReceived"
      line.code = nil
    }
    add { line in
      line.impersonated = "carol"
      line.code = 502
    }
    add { line in
      line.user = nil
      line.verb = ""
      line.code = nil
      line.object = nil
      line.annotations = ["sallyport.dev/event": "checkpoint"]
    }
    try self.folder.put(lines)
  }

  private func shown(_ change: (inout RecordFilter) -> Void) throws -> [String] {
    var filter = RecordFilter()
    change(&filter)
    var found: [String] = []
    try LogShow(filter).run([self.folder.path]) { record, line in
      #expect(String(decoding: line, as: UTF8.self).contains(record.auditID))
      found.append(String(record.auditID.suffix(1)))
    }
    return found
  }

  @Test func everyFilterFindsWhatItNames() throws {
    #expect(try self.shown { _ in } == ["0", "1", "2", "4"])
    #expect(try self.shown { $0.allStages = true } == ["0", "1", "2", "3", "4"])
    #expect(try self.shown { $0.events = true } == ["0", "1", "2", "4", "5"])
    #expect(try self.shown { $0.users = ["bob"] } == ["1"])
    #expect(try self.shown { $0.users = ["carol"] } == ["4"], "also who was acted as")
    #expect(try self.shown { $0.users = ["b*", "c*l"] } == ["1", "4"])
    #expect(try self.shown { $0.groups = ["ops"] } == ["1"])
    #expect(try self.shown { $0.verbs = ["list", "patch"] } == ["0", "2"])
    #expect(try self.shown { $0.resources = ["pods"] } == ["0", "1", "4"])
    #expect(try self.shown { $0.resources = ["pods/exec"] } == ["1"])
    #expect(try self.shown { $0.resources = ["deployments.apps"] } == ["2"])
    #expect(try self.shown { $0.namespaces = ["prod"] } == ["1"])
    #expect(try self.shown { $0.names = ["web"] } == ["0", "2", "4"])
    #expect(try self.shown { $0.decisions = ["deny"] } == ["1"])
    #expect(try self.shown { $0.rules = ["no-*"] } == ["1"])
    #expect(try self.shown { $0.statuses = [StatusRange("403")!] } == ["1"])
    #expect(try self.shown { $0.statuses = [StatusRange("4xx")!, StatusRange("500-502")!] } == ["1", "4"])
    #expect(try self.shown { $0.methods = ["clientCertificate"] } == ["2"])
    #expect(try self.shown { $0.addresses = ["2001:db8::1"] } == ["2"])
    #expect(try self.shown { $0.auditIDs = ["00000000-0000-4000-8000-000000000002"] } == ["2"])
    #expect(try self.shown { $0.since = WallTimeBound("2026-03-01T09:01:00Z") } == ["1", "2", "4"])
    #expect(try self.shown { $0.until = WallTimeBound("2026-03-01T09:02") } == ["0", "1"])
    #expect(
      try self.shown { filter in
        filter.users = ["alice"]
        filter.verbs = ["patch"]
      } == ["2"])
  }

  @Test func timesAreReadAsPeopleWriteThem() {
    let now = Date(timeIntervalSince1970: 1_772_355_907)
    #expect(WallTimeBound("2h", now: now)?.text == "2026-03-01T07:05:07.000000Z")
    #expect(WallTimeBound("1d", now: now)?.text == "2026-02-28T09:05:07.000000Z")
    #expect(WallTimeBound("2026-03-01", now: now)?.text == "2026-03-01T00:00:00.000000Z")
    #expect(WallTimeBound("2026-03-01T09:00:00.5Z", now: now)?.text == "2026-03-01T09:00:00.500000Z")
    for text in ["", "h", "yesterday", "2026-13-01", "2026-03-01T09:00:00+01:00", "-2h"] {
      #expect(WallTimeBound(text, now: now) == nil, "\(text)")
    }
    for text in ["", "4x", "x", "9-1", "40", "4xxx"] { #expect(StatusRange(text) == nil, "\(text)") }
  }

  @Test func aTableShowsAllThatMatters() throws {
    var lines: [String] = []
    let table = RecordTable(isColoured: false)
    var filter = RecordFilter()
    filter.events = true
    try LogShow(filter).run([self.folder.path]) { record, _ in lines.append(table.line(record)) }
    #expect(lines[1].contains("bob") && lines[1].contains("403") && lines[1].contains("pods/exec db -n prod  (denied by no-shells)"))
    #expect(lines[3].contains("alice as carol"))
    #expect(lines[4].contains("checkpoint"))
    #expect(!lines.joined().contains("\u{1B}"))
    var denied = ReviewedRecord.sample
    denied.annotations["sallyport.dev/decision"] = "deny"
    #expect(RecordTable(isColoured: true).line(denied).hasPrefix("\u{1B}[1;31m"))
    denied.uri = "/\u{1B}]0;evil\u{7}"
    denied.resource = nil
    #expect(!table.line(denied).contains("\u{1B}"))
  }

  @Test func aCompressedFileIsReadAsAPlainOne() throws {
    let log = try WrittenLog(records: 300, rotation: .init(size: 20_000))
    try log.waitForCompression()
    var count = 0
    var last = ""
    try LogShow(RecordFilter()).run([log.directory]) { record, _ in
      count += 1
      #expect(last <= record.auditID, "in order")
      last = record.auditID
    }
    #expect(count == 300)
    #expect(log.names.contains { $0.hasSuffix(".gz") })
  }

  @Test func aSliceOfJSONIsReadWhateverItsFormAndNothingIsReadBeyondIt() throws {
    let texts = [
      #"{"auditID":"a","user":{"username":"x\"y","groups":["a,]","b}"]},"verb":"get"}"#,
      #"{ "auditID" : "a", "user" : { "username" : "x\"y", "groups" : [ "a,]" , "b}" ] } , "verb":"get" }"#,
      #"{"verb":"get","user":{"groups":["a,]","b}"],"username":"x\"y","extra":{"k":["v",1,null,true,{}]}},"auditID":"a"}"#,
    ]
    for text in texts {
      let record = try #require(Array(text.utf8).withUnsafeBytes { ReviewedRecord($0) })
      #expect(record.auditID == "a" && record.user == "x\"y" && record.groups == ["a,]", "b}"] && record.verb == "get", "\(text)")
    }
    // Whatever is cut off is no record, and no crash.
    for length in 0..<texts[0].utf8.count {
      let record = Array(texts[0].utf8.prefix(length)).withUnsafeBytes { ReviewedRecord($0) }
      #expect(record == nil)
    }
  }

  @Test func aFollowerReadsOverTheChangesOfFiles() throws {
    let follower = try LogFollower(self.folder.path, RecordFilter())
    var found: [String] = []
    func poll() throws { try follower.poll { record, _ in found.append(record.user) } }
    try poll()
    #expect(found == [])
    var line = SampleLine()
    line.user = "one"
    try self.folder.append(line)
    try poll()
    // Appended, moved, begun anew, all between two looks.
    line.user = "two"
    try self.folder.append(line)
    try FileManager.default.moveItem(
      atPath: self.folder.file("requests.jsonl"), toPath: self.folder.file("requests-000001-20260301T090507Z.jsonl"))
    line.user = "three"
    try self.folder.append(line, to: "requests-000001-20260301T090507Z.jsonl")
    line.user = "four"
    try self.folder.put([line])
    try poll()
    line.user = "five"
    try self.folder.append(line)
    // A series that is new.
    line.user = "six"
    try self.folder.put([line], in: "unauthenticated.jsonl")
    try poll()
    #expect(found == ["one", "two", "three", "four", "five", "six"])
  }
}

extension ReviewedRecord {
  static var sample: ReviewedRecord {
    Array(SampleLine().text.utf8).withUnsafeBytes { ReviewedRecord($0) }!
  }
}

import NIOCore
import SallyportWire
import TestSupport
import Testing

/// Random targets, read by us and by the plain model: 20,000 of them from a fixed seed.
@Suite struct RequestModelTests {
  private static let seed: UInt64 = 0x5A11_7B02
  private static let count = 20_000

  @Test func ourReadingNeverDiffersFromTheModel() throws {
    var random = Chance(seed: Self.seed)
    var read = 0
    for _ in 0..<Self.count {
      let raw = Self.randomTarget(&random)
      let method = Self.methods.randomElement(using: &random)!
      let model = RequestModel.parse(raw)
      let spelled = String(decoding: raw, as: UTF8.self).debugDescription
      guard let target = try? RequestTarget(reading: ByteBuffer(bytes: raw), for: Method(method)) else {
        // An authority may be refused where Go is lax; otherwise we refuse what Go does.
        #expect(model == nil || model?.scheme.isEmpty == false, "\(spelled)")
        continue
      }
      guard let model else {
        Issue.record("read, though Go refuses it: \(spelled)")
        continue
      }
      read += 1
      #expect(target.path == String(decoding: model.path, as: UTF8.self), "\(spelled)")
      #expect(target.query == model.query.map { String(decoding: $0, as: UTF8.self) }, "\(spelled)")
      let reference = RequestModel.info(method, model)
      let info = RequestInfo(method: Method(method), target: target)
      let ours = [
        "verb": info.verb, "apiGroup": info.apiGroup, "apiVersion": info.apiVersion, "namespace": info.namespace,
        "resource": info.resource, "name": info.name, "subresource": info.subresource,
      ]
      for (key, value) in ours where info.resource != "" || reference["resource"] != nil {
        #expect(value == reference[key] ?? "", "\(key) of \(method) \(spelled)")
      }
      #expect(info.verb == reference["verb"], "\(method) \(spelled)")
    }
    #expect(read > Self.count / 2, "too few targets can be read for the comparison to mean anything")
  }

  /// What goes upstream reads there as it did here.
  @Test func theForwardedBytesReadTheSame() throws {
    var random = Chance(seed: Self.seed ^ 1)
    for _ in 0..<Self.count {
      guard let target = try? RequestTarget(reading: ByteBuffer(bytes: Self.randomTarget(&random)), for: .get) else { continue }
      let again = try RequestTarget(reading: target.forwarded, for: .get)
      #expect(again.form == .origin)
      #expect(again.path == target.path)
      #expect(again.query == target.query)
      #expect(again.forwarded == target.forwarded)
      #expect(again.oddities == target.oddities)
      #expect(RequestInfo(method: .get, target: again) == RequestInfo(method: .get, target: target))
    }
  }

  /// What is not refused means the same to a server that decodes and cleans paths, but for the slashes at the end.
  @Test func whatIsNotRefusedSurvivesCleaning() throws {
    var random = Chance(seed: Self.seed ^ 2)
    var kept = 0
    for _ in 0..<Self.count {
      let raw = Self.randomTarget(&random)
      guard let target = try? RequestTarget(reading: ByteBuffer(bytes: raw), for: .get) else { continue }
      let spelled = String(decoding: raw, as: UTF8.self).debugDescription
      let path = Array(target.path.utf8)
      let cleaned = RequestModel.cleaned(path)
      let withoutEnd = path.reversed().drop { $0 == UInt8(ascii: "/") }.reversed()
      if target.ambiguity(for: .generic) == nil {
        kept += 1
        #expect(cleaned == Array(withoutEnd), "\(spelled)")
        // Reading the path before it is decoded finds as many segments.
        let sent = target.forwarded.readableBytesView.prefix { $0 != UInt8(ascii: "?") }
        let slashes = { (bytes: [UInt8]) in bytes.count { $0 == UInt8(ascii: "/") } }
        #expect(slashes(Array(sent)) == slashes(path), "\(spelled)")
      }
      if target.ambiguity(for: .kubernetes) == nil {
        let info = RequestInfo(method: .get, target: target)
        let allNamespaces = info.isResourceRequest && info.namespace.isEmpty && target.path.contains("namespaces//")
        #expect(cleaned == Array(withoutEnd) || allNamespaces || info.subresource == "proxy", "\(spelled)")
      }
    }
    #expect(kept > Self.count / 20, "too few targets are plain for the comparison to mean anything")
  }

  // MARK: - The generator

  private static let methods = ["GET", "GET", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get", "LIST"]

  private static let words = [
    "api", "apis", "v1", "apps", "namespaces", "dev", "secrets", "s1", "watch", "proxy", "status", "finalize", "services", "%73ecrets",
    "n%61mespaces", "w%61tch", "ä", "%C3%A4", "a+b", "a%20b", "x;y", "...", "%2573",
  ]
  private static let openings = ["/api/v1/", "/api/v1/namespaces/dev/", "/apis/apps/v1/", "/", "/api/v1/watch/", "/api/v1/namespaces/", ""]
  private static let separators = ["/", "/", "/", "/", "/", "/", "/", "/", "//", "%2F", "%2f", "/%2F", ""]
  private static let oddities = [
    ".", "..", "%2e%2e", ".%2E", "..;x", "\\", "%5c", "#", "%00", "%0a", "%ff", "%c0%ae", "%", "%4", "%zz", "%C2%85", " ", "\u{7F}", ":",
    "@",
  ]
  private static let parameters = [
    "watch=1", "watch", "watch=0", "watch=false", "watch=FALSE", "w%61tch=%31", "watch=%zz", "watch=1;", "watch=+", "Watch=1", "limit=5",
    "fieldSelector=metadata.name=s1", "fieldSelector=metadata.name%3Ds2,a=b", "fieldSelector=x=y", "fieldSelector=metadata.name%3D..",
    "%66ieldSelector=metadata.name==", "", "=", "a=b=c", "?", "%", "ä=ö",
  ]

  private static func randomTarget(_ random: inout Chance) -> [UInt8] {
    var text = openings.randomElement(using: &random)!
    if Int.random(in: 0..<12, using: &random) == 0 {
      text = ["https://h", "http://u:p@h:1", "https:", "foo:/", "x+y:///", "mailto:", "1:", ":"].randomElement(using: &random)! + text
    }
    for _ in 0..<Int.random(in: 0...6, using: &random) {
      let isOdd = Int.random(in: 0..<14, using: &random) == 0
      text += (isOdd ? self.oddities : self.words).randomElement(using: &random)!
      text += self.separators.randomElement(using: &random)!
    }
    if Bool.random(using: &random) {
      let parameters = (0..<Int.random(in: 0...3, using: &random)).map { _ in self.parameters.randomElement(using: &random)! }
      text += "?" + parameters.joined(separator: "&")
    }
    var bytes = Array(text.utf8)
    if Int.random(in: 0..<20, using: &random) == 0, !bytes.isEmpty {
      bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
    }
    return bytes
  }
}

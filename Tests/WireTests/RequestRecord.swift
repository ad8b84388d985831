import Foundation
import NIOCore
import SallyportWire
import Testing

/// One request that a real API server was asked, with what its own audit log made of it.
///
/// The record lies in `shared/kubernetes/request-paths.jsonl` beside the repository; where there is no such folder a few
/// cases of it that are kept here stand in, except in CI, where the record must be there.
struct RecordedRequest: Sendable, CustomTestStringConvertible {
  /// How the server's audit log read the request; an empty string where the log had nothing.
  struct Reading: Equatable {
    var verb, apiGroup, apiVersion, resource, subresource, namespace, name: String
  }

  let line: Int
  let method: String
  let target: [UInt8]
  let status: Int
  let audit: Reading?

  var testDescription: String {
    "line \(self.line): \(self.method) \(String(reflecting: String(String(decoding: self.target, as: UTF8.self).prefix(120))))"
  }

  static let file = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../shared/kubernetes/request-paths.jsonl").standardizedFileURL

  /// The whole record, or the cases kept here.
  static let all: (cases: [RecordedRequest], isWholeRecord: Bool) = {
    if let text = try? String(contentsOf: file, encoding: .utf8) {
      return (text.split(separator: "\n").enumerated().compactMap { Self($0.offset + 1, json: String($0.element)) }, true)
    }
    print("request-paths.jsonl is not beside the repository: a few built-in cases of the record stand in for it")
    return (builtIn.enumerated().compactMap { Self($0.offset + 1, json: $0.element) }, false)
  }()

  /// Some HTTP/2 cases have no method, or one that no request line can hold: they are not ours to read.
  private init?(_ line: Int, json: String) {
    guard let object = try? JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any],
      let target = object["raw_target"] as? String, let status = object["status"] as? Int
    else {
      Issue.record("line \(line) of the record cannot be read")
      return nil
    }
    guard let method = object["method"] as? String, !method.isEmpty, !method.contains(where: \.isWhitespace) else { return nil }
    self.line = line
    self.method = method
    // The record writes the bytes of a target as the characters U+0000 to U+00FF, and long ones cut.
    let cut = target.range(of: "...(").map { target[..<$0.lowerBound] } ?? target[...]
    self.target = cut.unicodeScalars.map { UInt8($0.value) }
    self.status = status
    self.audit = (object["audit"] as? [String: Any]).map { audit in
      func text(_ key: String) -> String { audit[key] as? String ?? "" }
      return Reading(
        verb: text("verb"), apiGroup: text("apiGroup"), apiVersion: text("apiVersion"), resource: text("resource"),
        subresource: text("subresource"), namespace: text("namespace"), name: text("name"))
    }
  }

  private static let builtIn = [
    #"{"method":"GET","raw_target":"/api/v1/namespaces/dev/secrets/s1","status":200,"audit":{"verb":"get","apiVersion":"v1","resource":"secrets","namespace":"dev","name":"s1"}}"#,
    #"{"method":"GET","raw_target":"/api%2Fv1/namespaces/dev/%73ecrets/","status":200,"audit":{"verb":"list","apiVersion":"v1","resource":"secrets","namespace":"dev"}}"#,
    #"{"method":"GET","raw_target":"/api/v1/namespaces%2F/secrets?%77atch=1","status":200,"audit":{"verb":"watch","apiVersion":"v1","resource":"secrets"}}"#,
    #"{"method":"GET","raw_target":"/api/v1/watch/namespaces/dev/secrets?fieldSelector=metadata.name%3Ds1","status":200,"audit":{"verb":"watch","apiVersion":"v1","resource":"secrets","namespace":"dev"}}"#,
    #"{"method":"GET","raw_target":"//api/v1/namespaces/dev/secrets/s1","status":404,"audit":{"verb":"get","apiVersion":"v1","resource":"secrets","namespace":"dev","name":"s1"}}"#,
    #"{"method":"GET","raw_target":"/api/v1/namespaces/dev/secrets/s1%2","status":400}"#,
    #"{"method":"DELETE","raw_target":"/apis/apps/v1/namespaces/dev/deployments","status":200,"audit":{"verb":"deletecollection","apiGroup":"apps","apiVersion":"v1","resource":"deployments","namespace":"dev"}}"#,
  ]
}

extension RequestTarget {
  /// The target that these characters spell.
  convenience init(_ text: String, _ method: SallyportWire.Method = .get) throws(MalformedMessage) {
    try self.init(reading: ByteBuffer(string: text), for: method)
  }
}

extension RequestInfo {
  convenience init(_ method: SallyportWire.Method, _ target: String) throws {
    self.init(method: method, target: try RequestTarget(target, method))
  }

  /// The reading as an audit log would have it: a non-resource request has no object.
  var reading: RecordedRequest.Reading {
    .init(
      verb: self.verb, apiGroup: self.isResourceRequest ? self.apiGroup : "", apiVersion: self.isResourceRequest ? self.apiVersion : "",
      resource: self.resource, subresource: self.subresource, namespace: self.namespace, name: self.name)
  }
}

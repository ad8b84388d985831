import Foundation
import SallyportAudit

/// A record as a reviewer sees it: the fields that tables, filters and counts are made of.
///
/// Events of the API server's own log read into it, too.
public struct ReviewedRecord: Sendable, Equatable {
  public var auditID = ""
  public var stage = ""
  /// When the stage was reached, as it stands in the record.
  public var time = ""
  public var received = ""
  public var user = ""
  public var groups: [String] = []
  public var impersonatedUser: String?
  public var verb = ""
  public var uri = ""
  public var userAgent: String?
  public var addresses: [String] = []
  public var resource: String?
  public var subresource: String?
  public var apiGroup: String?
  public var namespace: String?
  public var name: String?
  public var code: Int?
  public var message: String?
  public var annotations: [String: String] = [:]

  /// Reads a line; `nil` where it is no event.
  init?(_ line: UnsafeRawBufferPointer) {
    let isRead = JSONSlice(bytes: line).forEachMember { key, value in
      // One look at the length tells most keys apart.
      switch key.count {
      case 4: if key.isText("verb") { self.verb = value.text ?? "" } else if key.isText("user") { self.readUser(value) }
      case 5: if key.isText("stage") { self.stage = value.text ?? "" }
      case 7: if key.isText("auditID") { self.auditID = value.text ?? "" }
      case 9:
        if key.isText("userAgent") { self.userAgent = value.text }
        if key.isText("sourceIPs") { self.addresses = value.items.compactMap(\.text) }
        if key.isText("objectRef") { self.readObject(value) }
      case 10: if key.isText("requestURI") { self.uri = value.text ?? "" }
      case 11: if key.isText("annotations") { self.readAnnotations(value) }
      case 14:
        if key.isText("responseStatus") { self.readStatus(value) } else if key.isText("stageTimestamp") { self.time = value.text ?? "" }
      case 16: if key.isText("impersonatedUser") { self.impersonatedUser = value.member("username")?.text }
      case 24: if key.isText("requestReceivedTimestamp") { self.received = value.text ?? "" }
      default: break
      }
      return true
    }
    guard isRead else { return nil }
  }

  private mutating func readUser(_ value: JSONSlice) {
    value.forEachMember { key, value in
      if key.isText("username") { self.user = value.text ?? "" }
      if key.isText("groups") { self.groups = value.items.compactMap(\.text) }
      return true
    }
  }

  private mutating func readObject(_ value: JSONSlice) {
    value.forEachMember { key, value in
      if key.isText("resource") { self.resource = value.text }
      if key.isText("subresource") { self.subresource = value.text }
      if key.isText("apiGroup") { self.apiGroup = value.text }
      if key.isText("namespace") { self.namespace = value.text }
      if key.isText("name") { self.name = value.text }
      return true
    }
  }

  private mutating func readStatus(_ value: JSONSlice) {
    value.forEachMember { key, value in
      if key.isText("code") { self.code = value.number }
      if key.isText("message") { self.message = value.text }
      return true
    }
  }

  private mutating func readAnnotations(_ value: JSONSlice) {
    value.forEachMember { key, value in
      // The seal says nothing to a reviewer, and is a tenth of the line.
      guard !key.isText("sallyport.dev/chain"), !key.isText("sallyport.dev/signature") else { return true }
      self.annotations[String(decoding: key, as: UTF8.self)] = value.text
      return true
    }
  }

  // MARK: - What Sallyport says of it

  private func annotation(_ name: String) -> String? { self.annotations["sallyport.dev/\(name)"] }

  /// One of the log's or the gateway's own events.
  public var event: String? { self.annotation("event") }
  public var decision: String? { self.annotation("decision") }
  public var rule: String? { self.annotation("rule") }
  public var method: String? { self.annotation("authentication") }
  public var error: String? { self.annotation("error") }
  public var route: String? { self.annotation("route") }
  public var upstream: String? { self.annotation("upstream") }
  public var bytesOut: Int? { self.annotation("bytes-out").flatMap(Int.init) }

  /// Whether the request, or the connection, has come to its end with this record.
  public var isLast: Bool { self.stage == "ResponseComplete" || self.stage == "Panic" }

  public var isDenied: Bool { self.decision == "deny" }

  /// Somebody who could not say who he is: a wrong or missing credential, or a handshake that failed.
  public var isFailedSignIn: Bool {
    self.event == nil && (self.code == 401 || (self.code == nil && self.error != nil && self.user.isEmpty))
  }

  public var changesSomething: Bool { ["create", "update", "patch", "delete", "deletecollection"].contains(self.verb) }

  /// `pods/exec db -n prod`, or the URI where no object was asked for.
  public var object: String {
    guard let resource else { return self.uri }
    var text = self.subresource.map { "\(resource)/\($0)" } ?? resource
    if let name { text += " \(name)" }
    if let namespace { text += " -n \(namespace)" }
    return text
  }
}

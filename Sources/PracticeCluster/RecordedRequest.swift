import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1

import struct Foundation.UUID

/// One request as the practice cluster received it: what reached the upstream, for tests and demonstrations.
public struct RecordedRequest: Sendable {
  public struct Header: Sendable, Hashable {
    public let name: String
    public let value: String
  }

  public let method: String
  /// The target as it was sent.
  public let requestURI: String
  /// Every field in its order, as received.
  public let headers: [Header]
  /// The request's `Audit-ID`, or the one that was made for it; it is in the answer too.
  public let auditID: String
  /// The verb as the server's authorizer saw it; empty for a method that has none.
  public internal(set) var verb = ""
  /// Who was authenticated, before any impersonation; `nil` where nobody was.
  public internal(set) var user: String?
  public internal(set) var uid = ""
  public internal(set) var groups: [String] = []
  public internal(set) var extra: [String: [String]] = [:]
  /// Who was to be impersonated; also where it was refused.
  public internal(set) var impersonatedUser: String?
  public internal(set) var impersonatedGroups: [String] = []
  /// The answer's status.
  public internal(set) var status = 0

  init(method: String, requestURI: String, headers: HTTPHeaders) {
    self.method = method
    self.requestURI = requestURI
    self.headers = headers.map { Header(name: $0.name, value: $0.value) }
    self.auditID = headers.first(name: "Audit-ID") ?? UUID().uuidString.lowercased()
  }

  /// The values of all fields with this name, in any letter case.
  public func values(of name: String) -> [String] {
    self.headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
  }
}

/// The last requests, the oldest first; a bounded ring.
final class RequestRecorder: Sendable {
  static let limit = 4096
  private let ring = NIOLockedValueBox(CircularBuffer<RecordedRequest>())

  func append(_ request: RecordedRequest) {
    self.ring.withLockedValue { ring in
      if ring.count == Self.limit { ring.removeFirst() }
      ring.append(request)
    }
  }

  var all: [RecordedRequest] { self.ring.withLockedValue { Array($0) } }
  func clear() { self.ring.withLockedValue { $0.removeAll() } }
}

import SallyportCore

/// What a server says to one of the gateway's own questions.
struct DiscoveryAnswer: Sendable {
  let status: Int
  /// The `ETag` field's value; empty where there is none.
  let etag: String
  let body: [UInt8]
}

/// A way to ask a server something on the gateway's own behalf.
protocol DiscoveryTransport: Sendable {
  /// GETs a target.
  ///
  /// - Parameters:
  ///   - etag: what was answered before, so that the server can say that it still holds; empty to be told in any case
  ///   - limit: the most bytes of the answer's body
  ///   - timeout: how long the whole may take
  /// - Throws: ``Problem`` when there is no whole answer
  func get(_ target: String, ifNoneMatch etag: String, atMost limit: Int, within timeout: Duration) async throws(Problem) -> DiscoveryAnswer
}

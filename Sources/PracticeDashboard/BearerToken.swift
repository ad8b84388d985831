import NIOHTTP1

/// The token that came with a request, by which the API is asked as its user.
struct BearerToken: Sendable {
  private let text: String

  /// - Returns: `nil` where there is not exactly one
  init?(_ headers: HTTPHeaders) {
    let values = headers["Authorization"]
    guard values.count == 1, values[0].lowercased().hasPrefix("bearer ") else { return nil }
    let token = values[0].dropFirst("bearer ".count)
    guard !token.isEmpty, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
    self.text = String(token)
  }

  /// The value of the field `Authorization`.
  var authorization: String { "Bearer \(self.text)" }
}

extension BearerToken: CustomStringConvertible, CustomReflectable {
  var description: String { "a token" }
  var customMirror: Mirror { Mirror(self, children: []) }
}

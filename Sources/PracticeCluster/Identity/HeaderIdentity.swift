import NIOHTTP1

/// Reads the identity that a front proxy states in `X-Remote-*` fields.
///
/// See kubernetes/apiserver pkg/authentication/request/headerrequest; the details are held against what a server 1.36
/// was seen to do.
enum HeaderIdentity {
  static let extraPrefix = "x-remote-extra-"

  /// - Returns: `nil` where the first `X-Remote-User` is missing or empty
  static func user(in headers: HTTPHeaders) -> UserInfo? {
    guard let name = headers.first(name: "X-Remote-User"), !name.isEmpty else { return nil }
    var user = UserInfo(name: name, uid: headers.first(name: "X-Remote-Uid") ?? "")
    // One group for each field: a comma has no meaning here.
    user.groups = headers.compactMap { $0.name.lowercased() == "x-remote-group" ? $0.value : nil }
    user.extra = self.extra(prefix: self.extraPrefix, in: headers)
    return user
  }

  /// The extra attributes: a field's key is lower-cased and then percent-decoded, one whose escapes are broken stays.
  static func extra(prefix: String, in headers: HTTPHeaders) -> [String: [String]] {
    var extra: [String: [String]] = [:]
    for (name, value) in headers where name.lowercased().hasPrefix(prefix) {
      let spelled = String(name.lowercased().dropFirst(prefix.count))
      let key = PercentEncoding.decode(spelled.utf8).map { String(decoding: $0, as: UTF8.self) } ?? spelled
      extra[key, default: []].append(value)
    }
    return extra
  }
}

import SallyportStrictYAML

/// Paths of requests as a configuration names them: decoded, canonical, without wildcards.
enum RequestPathText {
  /// A path that is compared whole.
  static func exact(_ text: String) throws(ValueFault) -> String {
    guard text.hasPrefix("/") else { throw ValueFault("does not begin with a slash", "write it as in /healthz") }
    guard !text.contains(where: { "?#".contains($0) }) else { throw ValueFault("has a query or fragment", "write the path alone") }
    guard !text.contains("*") else { throw ValueFault("has a wildcard", "write each path, there are no wildcards here") }
    guard !text.contains("%") else { throw ValueFault("has a percent sign", "write the path decoded") }
    guard text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7F && $0 != "\\" }) else {
      throw ValueFault("has a blank, a control character or a backslash", "write the path without it")
    }
    let segments = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    guard !segments.dropLast().contains(""), !segments.contains("."), !segments.contains("..") else {
      throw ValueFault("has an empty or dot segment", "write the path that is meant")
    }
    return text
  }

  /// A path that stands for itself and everything below it.
  static func prefix(_ text: String) throws(ValueFault) -> String {
    let path = try self.exact(text)
    guard path == "/" || !path.hasSuffix("/") else {
      throw ValueFault("ends in a slash", "write it without; the path itself and all below it are meant")
    }
    return path
  }

  /// Whether `path` is `prefix` or below it, on the boundary of a segment: `/api` holds `/api/v1`, not `/apis`.
  static func contains(_ prefix: String, _ path: String) -> Bool {
    prefix == "/" || path == prefix || path.hasPrefix(prefix + "/")
  }
}

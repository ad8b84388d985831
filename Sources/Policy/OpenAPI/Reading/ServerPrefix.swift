/// What stands before a document's paths at the upstream: `basePath` in v2, the path of `servers` in v3.
///
/// A gateway has one upstream for a document, so the hosts that a document names do not matter, but their paths do. A
/// document whose servers disagree about the path is refused: whether `/v1/pets` is one of its paths then depends on which
/// server the upstream is, and only the operator knows.
struct ServerPrefix {
  /// The operator's word, without a slash at its end; `nil` where there is none.
  private let override: String?
  private let version: OpenAPIVersion

  init(override: String?, version: OpenAPIVersion) {
    self.override = override.map(Self.withoutEnd)
    self.version = version
  }

  func prefix(ofDocument root: DocumentValue) -> Result<String, PlacedFault> {
    if let override { return .success(override) }
    guard self.version == .v2 else { return self.prefix(of: root["servers"], else: "") }
    guard let basePath = root["basePath"] else { return .success("") }
    guard let text = basePath.text, text.isEmpty || text.hasPrefix("/"), !text.contains(where: { "{}?#".contains($0) }) else {
      return .failure(PlacedFault(basePath, "is no path that begins with a slash"))
    }
    return .success(Self.withoutEnd(text))
  }

  /// An operation's own servers take the place of its path's, and these of the document's.
  func prefix(ofOperation operation: DocumentValue, in item: DocumentValue, else prefix: String) -> Result<String, PlacedFault> {
    if self.override != nil || self.version == .v2 { return .success(prefix) }
    return self.prefix(of: operation["servers"] ?? item["servers"], else: prefix)
  }

  private func prefix(of servers: DocumentValue?, else prefix: String) -> Result<String, PlacedFault> {
    guard let servers, servers.count > 0 || servers.kind != .array else { return .success(prefix) }
    guard servers.kind == .array else { return .failure(PlacedFault(servers, "is not a list of servers")) }
    var found: String?
    for server in servers.elements {
      guard let address = server["url"], let text = address.text else {
        return .failure(PlacedFault(server, "has no `url` that is text"))
      }
      guard let path = Self.path(of: text, variables: server["variables"]) else {
        return .failure(
          PlacedFault(
            address, "is no address whose path is known (relative, broken, or with a variable that has several values); \(Self.cure)"))
      }
      guard found == nil || found == path else {
        return .failure(PlacedFault(servers, "name different paths (`\(found ?? "")` and `\(path)`); \(Self.cure)"))
      }
      found = path
    }
    return .success(found ?? prefix)
  }

  private static let cure = "say which path the upstream serves, by the reader's path prefix"

  /// The path of a server's address without the slash at its end; `nil` where it cannot be known.
  private static func path(of address: String, variables: DocumentValue?) -> String? {
    guard let text = self.expand(address, variables: variables) else { return nil }
    var path = text[...]
    if let scheme = text.firstRange(of: "://") {
      // The host is of no interest, braces of unknown variables included.
      let authority = text[scheme.upperBound...]
      path = authority.firstIndex(of: "/").map { authority[$0...] } ?? ""
    } else if text.hasPrefix("//") {
      let authority = text.dropFirst(2)
      path = authority.firstIndex(of: "/").map { authority[$0...] } ?? ""
    }
    guard path.isEmpty || path.first == "/", !path.contains(where: { "{}?#".contains($0) }) else { return nil }
    return self.withoutEnd(String(path))
  }

  /// Puts a variable's value in its place where it can have one only; the others keep their braces.
  private static func expand(_ address: String, variables: DocumentValue?) -> String? {
    guard address.contains("{") else { return address }
    guard address.utf8.count <= PathTemplate.longest else { return nil }
    var text = address
    guard let variables else { return text }
    for variable in variables.members.prefix(16) {
      let values = variable.value["enum"].map { $0.elements.map { $0.text } } ?? [variable.value["default"]?.text]
      guard values.count == 1, let value = values[0], value.utf8.count <= PathTemplate.longest else { continue }
      text = text.replacing("{\(variable.key)}", with: value)
      guard text.utf8.count <= PathTemplate.longest else { return nil }
    }
    return text
  }

  private static func withoutEnd(_ path: String) -> String {
    path.hasSuffix("/") ? String(path.dropLast()) : path
  }
}

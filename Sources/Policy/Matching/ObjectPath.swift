/// What a path template of a Kubernetes API is for: the same parts that `RequestInfo` finds in a request's path.
struct ObjectPath: Sendable, Hashable {
  /// Empty for the core group.
  let group: String
  let version: String
  let resource: String
  let subresource: String
  /// Whether it is one of the old paths that watch, `/api/v1/watch/…`.
  let watches: Bool
  /// The template's segments without that `watch`.
  private let plainSegments: [Substring]

  /// `nil` for a path that is for no resource.
  init?(template: String) {
    var rest = template.utf8.split(separator: UInt8(ascii: "/")).map { Substring($0) }[...]
    let all = Array(rest)
    switch rest.first {
    case "api" where rest.count >= 3:
      self.group = ""
      rest = rest.dropFirst()
    case "apis" where rest.count >= 4:
      self.group = String(rest[1])
      rest = rest.dropFirst(2)
    default: return nil
    }
    self.version = String(rest.removeFirst())
    self.watches = rest.first == "watch" && rest.count > 1
    if self.watches {
      self.plainSegments = Array(all[..<rest.startIndex] + all[(rest.startIndex + 1)...])
      rest = rest.dropFirst()
    } else {
      self.plainSegments = all
    }
    // The namespace's own subresources are the only thing that follows its name and is no resource in it.
    if rest.first == "namespaces", rest.count > 2, rest[rest.startIndex + 2] != "finalize", rest[rest.startIndex + 2] != "status" {
      rest = rest.dropFirst(2)
    }
    guard let resource = rest.first, !resource.hasPrefix("{") else { return nil }
    self.resource = String(resource)
    self.subresource = rest.count >= 3 ? String(rest[rest.startIndex + 2]) : ""
  }

  /// The path that this one is but for `watch`, to find the two that give away the same.
  var plainPath: String { "/" + self.plainSegments.joined(separator: "/") }
}

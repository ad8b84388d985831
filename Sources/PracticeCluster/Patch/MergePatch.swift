/// JSON merge patch (RFC 7386).
enum MergePatch {
  static func apply(_ patch: JSON, to target: JSON) -> JSON {
    guard case .object(let changes) = patch else { return patch }
    var members = target.object ?? [:]
    for (key, change) in changes {
      if case .null = change {
        members[key] = nil
      } else {
        members[key] = self.apply(change, to: members[key] ?? .null)
      }
    }
    return .object(members)
  }
}

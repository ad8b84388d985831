import Foundation
public import SallyportCore
import SallyportJSON

/// Who somebody is, as JSON for programs: the members are named as in Kubernetes' `UserInfo`.
public enum WhoAmI {
  public static func json(_ identity: Identity) -> [UInt8] {
    var members: [String: JSONValue] = [
      "username": .string(identity.username), "groups": .array(identity.groups.map { .string($0) }),
      "authentication": .string(identity.method.rawValue),
    ]
    if let uid = identity.uid { members["uid"] = .string(uid) }
    if !identity.extra.isEmpty {
      var extra: [String: JSONValue] = [:]
      for entry in identity.extra { extra[entry.key] = .array(entry.values.map { .string($0) }) }
      members["extra"] = .object(extra)
    }
    if let session = identity.session {
      var facts: [String: JSONValue] = [
        "signedInBy": .string(session.signedInBy.rawValue), "began": .string(session.began.formatted(.iso8601)),
      ]
      if let ends = identity.expires { facts["ends"] = .string(ends.formatted(.iso8601)) }
      members["session"] = .object(facts)
    }
    return JSONWriter.write(.object(members))
  }
}

import SallyportCore
import SallyportPolicy
import SallyportWire

/// Rules by the number, as a large organisation has them, and requests that they are asked about.
///
/// One rule in five is about everybody, the others about one team, one namespace, one object, one API of many: what rules
/// grow in number by.
enum Workload {
  /// A thousand rules a document: ten thousand in one are more than a file may be large.
  static func policies(rules count: Int) throws -> [PolicyDocument] {
    try stride(from: 0, to: count, by: 1_000).map { try self.policy(rules: $0..<min(count, $0 + 1_000)) }
  }

  private static func policy(rules numbers: Range<Int>) throws -> PolicyDocument {
    let name = "bench-\(numbers.lowerBound)"
    var lines = ["apiVersion: sallyport.dev/v1alpha1", "kind: AccessPolicy", "metadata: {name: \(name)}", "rules:"]
    for number in numbers {
      guard number > 0 else {
        lines.append("- {name: secrets, deny: [{resources: [secrets], verbs: [get, list, watch, patch]}], unless: {groups: [security]}}")
        continue
      }
      let rule =
        switch number % 10 {
        case 0: "deny: [{paths: [\"/apis/group-\(number).example.org/**\"]}], unless: {groups: [operators]}"
        case 1: "deny: [{resources: [\"things-\(number).example.org\"], verbs: [create, update, patch, delete]}]"
        case 2: "deny: [{resources: [\"*\"]}], only: {groups: [team-\(number)]}, unless: {namespaces: [\"team-\(number)-*\"]}"
        case 3: "deny: [{resources: [pods, deployments.apps], namespaces: [ns-\(number)]}], unless: {groups: [owners-\(number)]}"
        case 4: "deny: [{resources: [pods, configmaps], namespaces: [\"tenant-\(number)-*\"]}], unless: {groups: [tenant-\(number)]}"
        case 5: "deny: [{resources: [configmaps], verbs: [get, update, patch, delete], names: [settings-\(number)]}]"
        case 6: "deny: [{resources: [pods/exec, pods/portforward]}], only: {users: [contractor-\(number)]}"
        case 7: "deny: [{resources: [\"*\"], verbs: [delete, deletecollection]}], only: {users: [\"robot-\(number)-*\"]}"
        case 8: "deny: [{operations: [\"*AppsV1*StatefulSet\"], namespaces: [db-\(number)]}], unless: {users: [dba-\(number)]}"
        default: "deny: [{impersonates: {users: [boss-\(number)]}}]"
        }
      lines.append("- {name: r\(number), \(rule)}")
    }
    return try PolicyDocument.load(yaml: lines.joined(separator: "\n") + "\n", fileName: "\(name).yaml")
  }

  /// Requests of an ordinary user: reads and writes that are allowed, and a read of a secret that is not.
  static func questions() throws -> [(name: String, question: PolicyQuestion)] {
    let groups = ["developers", "team-42", "vpn", "floor-3"]
    return try [
      ("get a pod", "GET", "/api/v1/namespaces/team-42-dev/pods/web-0"),
      ("list pods", "GET", "/api/v1/namespaces/team-42-dev/pods?limit=500"),
      ("get a config map", "GET", "/api/v1/namespaces/team-42-dev/configmaps/settings"),
      ("patch a deployment", "PATCH", "/apis/apps/v1/namespaces/team-42-dev/deployments/web"),
      ("read a secret (denied)", "GET", "/api/v1/namespaces/team-42-dev/secrets/web"),
      ("a path alone", "GET", "/version"),
    ].map { name, method, target in
      (name, try WrittenRequest(method: method, target: target, user: "alice@example.org", groups: groups).question(at: .kubernetes))
    }
  }
}

/// Who uses the demo, and what the practice cluster lets each group do.
struct DemoPerson: Sendable {
  enum Credential: Sendable, Equatable {
    case certificate
    case password
  }

  let name: String
  let groups: [String]
  let credential: Credential
  /// What they may do, for the text that is printed.
  let may: String

  static let all = [
    DemoPerson(name: "alice", groups: ["view"], credential: .certificate, may: "may read, but no secrets"),
    DemoPerson(name: "bob", groups: ["edit"], credential: .password, may: "may read and change"),
    DemoPerson(
      name: "carol", groups: ["admin", "impersonator"], credential: .certificate, may: "may do all in a namespace, and act as others"),
  ]
}

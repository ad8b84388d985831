import CLDAP
import NIOCore
import SallyportAuthentication
import SallyportLDAPSyntax

/// Asks each server of a directory once whether it would do: whether it is reached over TLS, admits the service account, and has the
/// bases that are searched. On a thread that may block.
struct DirectoryProbe {
  let configuration: LDAPConfiguration
  let connector: any DirectoryConnector

  func findings() -> [ProbeFinding] { self.configuration.servers.map(self.finding) }

  private func finding(of server: LDAPConfiguration.Server) -> ProbeFinding {
    let subject = server.description
    let connection: any DirectoryConnection
    do throws(DirectoryFault) {
      connection = try self.connector.connect(to: server, within: self.configuration.timeout)
    } catch {
      return .bad(subject, "cannot be reached: \(error.detail)")
    }
    defer { connection.close() }
    var found: [String] = [self.configuration.encryption == .insecurePlaintext ? "is reached without TLS" : "is reached over TLS"]
    do throws(DirectoryFault) {
      if let account = self.configuration.serviceAccount {
        let answer = try connection.bind(name: account.name.text, password: account.password, within: self.configuration.timeout)
        guard answer.code == 0 else { return .bad(subject, Self.refusal(answer, of: account.name.text)) }
        found.append("admits the bindDN")
      }
      for (key, base) in self.bases {
        guard try self.exists(base, on: connection) else {
          return .bad(subject, "has no entry \(base) (\(key)), or does not show it to the bindDN: check the base and the rights")
        }
        found.append("has \(key)")
      }
    } catch {
      return .bad(subject, error.detail)
    }
    return .good(subject, found.joined(separator: ", "))
  }

  private var bases: [(key: String, base: String)] {
    var bases: [(key: String, base: String)] = []
    if case .search(let base, _, _) = self.configuration.users.place { bases.append(("users.base", base.text)) }
    if case .search(let base, _, _)? = self.configuration.groups?.source { bases.append(("groups.base", base.text)) }
    return bases
  }

  private func exists(_ base: String, on connection: any DirectoryConnection) throws(DirectoryFault) -> Bool {
    let search = DirectorySearch(base: base, scope: .base, filter: .everything, attributes: [], atMost: 1)
    do throws(DirectoryFault) {
      return try !connection.search(search, within: self.configuration.timeout).isEmpty
    } catch {
      switch error.kind {
      case .answered(Int32(LDAP_NO_SUCH_OBJECT)), .answered(Int32(LDAP_INVALID_DN_SYNTAX)), .answered(Int32(LDAP_INSUFFICIENT_ACCESS)):
        return false
      default: throw error
      }
    }
  }

  private static func refusal(_ answer: BindAnswer, of name: String) -> String {
    switch BindJudgement(answer) {
    case .good: "admits \(name)"
    case .refused(let reason): "does not admit the bindDN \(name) (\(reason)): check bindDN and its password"
    case .unavailable(let detail): "cannot judge the bindDN \(name): \(detail)"
    }
  }
}

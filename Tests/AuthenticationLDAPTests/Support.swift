import Logging
import NIOConcurrencyHelpers
import NIOCore
import SallyportAuthentication
import SallyportCore
import SallyportLDAPSyntax
import TestSupport

@testable import SallyportAuthenticationLDAP

extension LDAPConfiguration {
  /// The directory of a test: people are found by `uid` or `mail`, groups by their members.
  static func of(
    _ servers: DirectoryServer..., tls: Bool = true, timeout: TimeAmount = .seconds(20), connections: Int = 4,
    _ change: (inout LDAPConfiguration) throws -> Void = { _ in }
  ) throws -> LDAPConfiguration {
    var configuration = LDAPConfiguration(
      servers: servers.map { .init(scheme: tls ? .ldaps : .ldap, host: "127.0.0.1", port: tls ? $0.tlsPort : $0.port) },
      encryption: .tls(caFile: servers[0].caFile),
      serviceAccount: .init(name: try .init(parsing: DirectoryServer.service), password: Secret(DirectoryServer.servicePassword.utf8)),
      users: .init(
        place: .search(
          base: try .init(parsing: "ou=people,dc=example,dc=org"), scope: .subtree,
          filter: try .init(parsing: "(|(uid={username})(mail={username}))")), username: try .init(parsing: "uid")),
      groups: .init(source: try .groups("(member={dn})"), name: try .init(parsing: "cn"), isNested: true), timeout: timeout,
      connections: connections)
    try change(&configuration)
    return configuration
  }
}

extension LDAPConfiguration.Groups.Source {
  static func groups(_ filter: String) throws -> Self {
    .search(base: try .init(parsing: "ou=groups,dc=example,dc=org"), scope: .subtree, filter: try .init(parsing: filter))
  }
}

extension AuthenticatorConfiguration.PasswordSource {
  static func ldap(_ configuration: LDAPConfiguration, logger: Logger = .silent) -> Self {
    .store(LDAPStore(configuration, logger: logger))
  }
}

extension Logger {
  static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

/// A directory in memory, which counts what is asked and fails as a test says.
final class ScriptedDirectory: DirectoryConnector {
  struct State: Sendable {
    /// By server: how connecting fails.
    var refusals: [Int: DirectoryFault] = [:]
    /// What the next searches and binds are answered with instead.
    var searchFaults: [DirectoryFault] = []
    var bindFaults: [DirectoryFault] = []
    var bindCode: Int32 = 0
    var entries: [DirectoryEntry] = [DirectoryEntry(name: "uid=alice,ou=people", attributes: ["uid": [Array("alice".utf8)]])]
    var connects: [Int] = []
    var searches: [String] = []
    var binds: [String] = []
  }

  let state = NIOLockedValueBox(State())

  func connect(to server: LDAPConfiguration.Server, within limit: TimeAmount) throws(DirectoryFault) -> any DirectoryConnection {
    let refusal = self.state.withLockedValue { state in
      state.connects.append(server.port)
      return state.refusals[server.port]
    }
    if let refusal { throw refusal }
    return Connection(state: self.state)
  }

  private final class Connection: DirectoryConnection {
    private let state: NIOLockedValueBox<State>
    init(state: NIOLockedValueBox<State>) { self.state = state }

    func bind(name: String, password: Secret, within limit: TimeAmount) throws(DirectoryFault) -> BindAnswer {
      let (fault, code) = self.state.withLockedValue { state -> (DirectoryFault?, Int32) in
        state.binds.append(name)
        return (state.bindFaults.isEmpty ? nil : state.bindFaults.removeFirst(), state.bindCode)
      }
      if let fault { throw fault }
      return BindAnswer(code: code, diagnostic: "", policyError: nil)
    }

    func search(_ search: DirectorySearch, within limit: TimeAmount) throws(DirectoryFault) -> [DirectoryEntry] {
      let (fault, entries) = self.state.withLockedValue { state -> (DirectoryFault?, [DirectoryEntry]) in
        state.searches.append(search.filter.text)
        return (state.searchFaults.isEmpty ? nil : state.searchFaults.removeFirst(), state.entries)
      }
      if let fault { throw fault }
      return entries
    }

    func close() {}
  }

  /// An authenticator over this directory's servers, which are told apart by their ports.
  func desk(servers: Int = 2, failures: Int = 100) throws -> Desk {
    let configuration = LDAPConfiguration(
      servers: (1...servers).map { .init(scheme: .ldaps, host: "127.0.0.1", port: $0) }, encryption: .insecurePlaintext,
      serviceAccount: nil,
      users: .init(
        place: .search(base: try .init(parsing: "ou=people"), scope: .subtree, filter: try .init(parsing: "(uid={username})")),
        username: try .init(parsing: "uid")), groups: nil, connections: 1)
    return Desk(.store(LDAPStore(configuration, connector: self, logger: .silent)), failures: failures)
  }
}

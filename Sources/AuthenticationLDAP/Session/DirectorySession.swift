import Logging
import NIOCore
import SallyportAuthentication
import SallyportCore
import SallyportLDAPSyntax

/// What one thread does with its connections to a directory.
///
/// There are two: one on which entries are looked up, bound as the service account, and one on which users' passwords are
/// tried, whose bind is whoever was tried last. Both are kept while they work and made anew when they do not.
///
/// A judgement ends within the configured timeout. Every step of it has a part of that, so that where a server hangs there
/// is time left to ask the next.
final class DirectorySession {
  private let configuration: LDAPConfiguration
  private let board: ServerBoard
  private let connector: any DirectoryConnector
  private let logger: Logger
  private var lookup: Open?
  private var verification: Open?

  private struct Open {
    let connection: any DirectoryConnection
    let server: Int
    let since: NIODeadline
    var lastUse: NIODeadline
  }

  /// How long a connection is kept that nobody uses, and any at all: then the first server of the list gets its turn again.
  private static let longestIdle = TimeAmount.seconds(60)
  private static let longestLife = TimeAmount.minutes(10)

  init(_ configuration: LDAPConfiguration, board: ServerBoard, connector: any DirectoryConnector, logger: Logger) {
    self.configuration = configuration
    self.board = board
    self.connector = connector
    self.logger = logger
  }

  deinit {
    self.lookup?.connection.close()
    self.verification?.connection.close()
  }

  // MARK: What is asked

  func judge(_ attempt: PasswordAttempt) -> StoreJudgement {
    guard !attempt.password.isEmpty else { return .refused("the password is empty") }
    let deadline = NIODeadline.now() + self.configuration.timeout
    let asService = Directory(configuration: self.configuration) { search throws(DirectoryFault) in
      try self.search(search, until: deadline)
    }
    do throws(DirectoryFault) {
      switch self.configuration.users.place {
      case .search:
        switch try asService.user(typed: attempt.username) {
        case .none: return .unknown
        case .several: return .refused("the directory has more than one entry for the user")
        case .one(let entry): return try self.judge(attempt, entry.name, entry, asService, until: deadline)
        }
      case .template(let template, _):
        let name = template.name(username: attempt.username)
        guard self.configuration.readsWithoutPassword else { return try self.judge(attempt, name, nil, nil, until: deadline) }
        guard let entry = try asService.user(at: name, typed: attempt.username) else { return .unknown }
        return try self.judge(attempt, name, entry, asService, until: deadline)
      }
    } catch {
      return .unavailable(error.detail)
    }
  }

  func refresh(_ reference: StoredUser.Reference) -> StoreRefreshment {
    let deadline = NIODeadline.now() + self.configuration.timeout
    let directory = Directory(configuration: self.configuration) { search throws(DirectoryFault) in
      try self.search(search, until: deadline)
    }
    do throws(DirectoryFault) {
      guard let entry = try directory.user(at: reference.account, typed: reference.typedName) else {
        return self.gone(reference, "the directory has the entry no more, or it is not a user's")
      }
      switch try directory.stored(entry, typed: reference.typedName) {
      case .success(let user): return .current(user)
      case .failure(let unfit): return self.gone(reference, unfit.detail)
      }
    } catch {
      return .unavailable(error.detail)
    }
  }

  private func gone(_ reference: StoredUser.Reference, _ reason: String) -> StoreRefreshment {
    self.logger.notice("a signed-in user is no longer admitted", metadata: ["dn": "\(reference.account)", "reason": "\(reason)"])
    return .gone(reason)
  }

  /// Tries the password, and reads what the user is.
  private func judge(
    _ attempt: PasswordAttempt, _ name: String, _ entry: DirectoryEntry?, _ asService: Directory?, until deadline: NIODeadline
  ) throws(DirectoryFault) -> StoreJudgement {
    guard attempt.mayTry(account: "ldap \(DistinguishedName.key(of: name))") else { return .locked }
    // A name that was typed is not repeated: people type passwords into the wrong field.
    let subject = entry.map(\.name) ?? "the user of the template"
    switch BindJudgement(try self.bind(name, attempt.password, until: deadline)) {
    case .refused(let reason): return .refused("\(subject): \(reason)")
    case .unavailable(let detail): return .unavailable(detail)
    case .good: break
    }
    let directory =
      asService
      ?? Directory(configuration: self.configuration) { search throws(DirectoryFault) in
        try self.searchAsUser(search, until: deadline)
      }
    let ownEntry: DirectoryEntry?
    if let entry { ownEntry = entry } else { ownEntry = try directory.user(at: name, typed: attempt.username) }
    guard let entry = ownEntry else {
      return .refused("\(subject): the user may not read the entry, or it does not match the filter")
    }
    switch try directory.stored(entry, typed: attempt.username) {
    case .success(let user): return .identified(user)
    case .failure(let unfit): return .refused("\(name): \(unfit.detail)")
    }
  }

  // MARK: Connections

  /// The time that one step may take.
  private func limit(until deadline: NIODeadline) throws(DirectoryFault) -> TimeAmount {
    let share = self.configuration.timeout.nanoseconds / Int64(self.configuration.servers.count + 1)
    let left = (deadline - .now()).nanoseconds
    guard left > 1_000_000 else { throw DirectoryFault(kind: .timedOut, detail: "the directory did not answer in time") }
    return .nanoseconds(min(left, max(share, 200_000_000)))
  }

  /// Connects to the first server that can be reached.
  private func connect(until deadline: NIODeadline) throws(DirectoryFault) -> Open {
    var last = DirectoryFault(kind: .unreachable, detail: "no server could be reached a moment ago")
    for index in self.board.candidates(at: .now()) {
      do throws(DirectoryFault) {
        let connection = try self.connector.connect(to: self.board[index], within: try self.limit(until: deadline))
        self.board.succeeded(index)
        return Open(connection: connection, server: index, since: .now(), lastUse: .now())
      } catch {
        last = error
        self.board.failed(index, error, at: .now())
      }
    }
    throw last
  }

  private func isStale(_ open: Open) -> Bool {
    let now = NIODeadline.now()
    return now - open.lastUse > Self.longestIdle || now - open.since > Self.longestLife
  }

  private func search(_ search: DirectorySearch, until deadline: NIODeadline) throws(DirectoryFault) -> [DirectoryEntry] {
    try self.retried(\.lookup, until: deadline) { open throws(DirectoryFault) in
      try open.connection.search(search, within: try self.limit(until: deadline))
    }
  }

  /// On the connection that the user has just signed in on. It is not made anew: another would be nobody's.
  private func searchAsUser(_ search: DirectorySearch, until deadline: NIODeadline) throws(DirectoryFault) -> [DirectoryEntry] {
    guard let open = self.verification else { throw DirectoryFault(kind: .unreachable, detail: "the user's connection ended") }
    do throws(DirectoryFault) {
      return try open.connection.search(search, within: try self.limit(until: deadline))
    } catch {
      if error.endsConnection { self.drop(\.verification) }
      throw error
    }
  }

  private func bind(_ name: String, _ password: Secret, until deadline: NIODeadline) throws(DirectoryFault) -> BindAnswer {
    try self.retried(\.verification, until: deadline) { open throws(DirectoryFault) in
      try open.connection.bind(name: name, password: password, within: try self.limit(until: deadline))
    }
  }

  /// Runs a step on a connection, and once more on a new one where a kept one turns out to have ended.
  ///
  /// A bind that was not answered in time is not repeated: the server may have counted it. A search is, at another server.
  private func retried<Value>(
    _ place: ReferenceWritableKeyPath<DirectorySession, Open?>, until deadline: NIODeadline,
    _ step: (Open) throws(DirectoryFault) -> Value
  ) throws(DirectoryFault) -> Value {
    var isRepetition = false
    while true {
      if let open = self[keyPath: place], self.isStale(open) { self.drop(place) }
      let isKept = self[keyPath: place] != nil
      let open = try self.opened(place, until: deadline)
      do throws(DirectoryFault) {
        let value = try step(open)
        self[keyPath: place]?.lastUse = .now()
        return value
      } catch {
        guard error.endsConnection else { throw error }
        self.drop(place)
        if error.kind == .timedOut || !isKept { self.board.failed(open.server, error, at: .now()) }
        let mayRepeat = error.kind == .unreachable ? isKept : place == \.lookup
        guard mayRepeat, !isRepetition else { throw error }
        isRepetition = true
      }
    }
  }

  private func opened(
    _ place: ReferenceWritableKeyPath<DirectorySession, Open?>, until deadline: NIODeadline
  ) throws(DirectoryFault) -> Open {
    if let open = self[keyPath: place] { return open }
    let open = try self.connect(until: deadline)
    if place == \.lookup, let account = self.configuration.serviceAccount {
      do throws(DirectoryFault) {
        let limit = try self.limit(until: deadline)
        let answer = try open.connection.bind(name: account.name.text, password: account.password, within: limit)
        guard answer.code == 0 else {
          throw DirectoryFault(kind: .answered(answer.code), detail: "the directory does not admit the bindDN (code \(answer.code))")
        }
      } catch {
        open.connection.close()
        self.board.failed(open.server, error, at: .now())
        throw error
      }
    }
    self[keyPath: place] = open
    return open
  }

  private func drop(_ place: ReferenceWritableKeyPath<DirectorySession, Open?>) {
    self[keyPath: place]?.connection.close()
    self[keyPath: place] = nil
  }
}

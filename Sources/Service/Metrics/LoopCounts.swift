import NIOCore
import SallyportAudit
import SallyportCore
import SallyportMetrics

/// What one event loop counts. A value of plain integers: the loop adds to it without a lock, a scrape takes a copy.
struct LoopCounts: Sendable {
  /// How somebody had proved who they are when their request was answered.
  enum Proof: Hashable, Sendable {
    /// Refused before anybody was known.
    case none
    /// Nobody, on an open path.
    case anonymous
    case method(AuthenticationMethod)

    init(_ subject: Subject?) {
      switch subject {
      case nil: self = .none
      case .anonymous: self = .anonymous
      case .identity(let identity): self = .method(identity.method)
      }
    }

    var label: String {
      switch self {
      case .none: "none"
      case .anonymous: "anonymous"
      case .method(let method): method.rawValue
      }
    }
  }

  struct Outcome: Hashable, Sendable {
    let code: Int
    let proof: Proof
  }

  struct Route: Sendable {
    var outcomes = Tally<Outcome>(limit: 2048)
    var denials = Tally<String>(limit: 1024)
    var whole = HistogramCounts(.latency)
    var upstream = HistogramCounts(.latency)

    mutating func add(_ other: Route) {
      self.outcomes.add(other.outcomes)
      self.denials.add(other.denials)
      self.whole.add(other.whole)
      self.upstream.add(other.upstream)
    }
  }

  struct Handshake: Hashable, Sendable {
    let listener: String
    let version: String
    let certificate: HandshakeCertificate
  }

  struct Fault: Hashable, Sendable {
    let code: String
    let blame: Problem.Blame
  }

  /// By the route's number.
  private(set) var routes: [Route] = [Route()]
  private(set) var problems = Tally<Fault>()
  /// Requests whose credentials were refused, by the problem's code.
  private(set) var refusals = Tally<String>()
  private(set) var streamEnds = Tally<StreamEnd.Reason>()
  private(set) var handshakes = Tally<Handshake>()
  private(set) var failedConnections = Tally<String>()
  var records = RecordCounts()

  /// What became of audit records.
  struct RecordCounts: Sendable {
    struct Series: Sendable {
      var written: UInt64 = 0
      var failed: UInt64 = 0
    }

    var requests = Series()
    var unauthenticated = Series()

    mutating func count(_ number: Int, to series: AuditSeries, written: Bool) {
      switch series {
      case .requests: self.requests.count(number, written: written)
      case .unauthenticated: self.unauthenticated.count(number, written: written)
      }
    }

    mutating func add(_ other: RecordCounts) {
      self.requests.add(other.requests)
      self.unauthenticated.add(other.unauthenticated)
    }
  }

  // MARK: Counting

  /// A request and its answer are over.
  mutating func requestEnded(_ record: AuditRecord, _ measure: RequestMeasure, isStream: Bool, at now: NIODeadline) {
    while self.routes.count <= measure.route { self.routes.append(Route()) }
    let code = record.response?.code ?? record.problem?.status ?? 0
    self.routes[measure.route].outcomes.count(Outcome(code: code, proof: Proof(record.subject)))
    // How long a watch or a tunnel lasts says nothing of how quick the gateway is.
    if !isStream { self.routes[measure.route].whole.observe(measure.seconds(at: now)) }
    if let seconds = measure.upstreamSeconds { self.routes[measure.route].upstream.observe(seconds) }
    if case .deny(let rule, _)? = record.decision { self.routes[measure.route].denials.count(rule ?? "") }
    if let end = record.streamEnd { self.streamEnds.count(end.reason) }
    if let problem = record.problem {
      self.problems.count(Fault(code: problem.code, blame: problem.blame))
      if problem.refusesCredentials { self.refusals.count(problem.code) }
    }
  }

  mutating func handshakeCompleted(_ connection: ConnectionFacts, _ certificate: HandshakeCertificate) {
    self.handshakes.count(
      Handshake(listener: connection.listener, version: connection.tlsVersion ?? "", certificate: certificate))
  }

  mutating func connectionFailed(_ problem: Problem) { self.failedConnections.count(problem.code) }

  // MARK: Gathering

  mutating func add(_ other: LoopCounts) {
    while self.routes.count < other.routes.count { self.routes.append(Route()) }
    for (index, route) in other.routes.enumerated() { self.routes[index].add(route) }
    self.problems.add(other.problems)
    self.refusals.add(other.refusals)
    self.streamEnds.add(other.streamEnds)
    self.handshakes.add(other.handshakes)
    self.failedConnections.add(other.failedConnections)
    self.records.add(other.records)
  }
}

extension LoopCounts.RecordCounts.Series {
  mutating func count(_ number: Int, written: Bool) {
    if written { self.written += UInt64(number) } else { self.failed += UInt64(number) }
  }

  mutating func add(_ other: Self) {
    self.written += other.written
    self.failed += other.failed
  }
}

extension Problem {
  /// Whether it says no to what was presented, or to somebody who presented nothing.
  var refusesCredentials: Bool {
    self.status == 401 || ["credentialsThrottled", "authenticationBusy", "authenticationFailed"].contains(self.code)
  }
}

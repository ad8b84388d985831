import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
@_spi(CertificateVerifier) import SallyportCore
import Testing

@testable import SallyportAuthentication

/// Hashes that libcrypt made of known passwords; the first two are the published vectors of bcrypt and SHA-crypt.
enum KnownHash {
  static let bcryptVector = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"  // U*U
  static let sha512Vector =  // Hello world!
    "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"
  static let sha512Rounds =  // Hello world!
    "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v."
  static let sha512Long =  // 511 times x
    "$6$saltstring$sB5o1/NAESoB6Sqlk/y.q3xgRCfOVIq1NhoQMI9.qi.bR1CmOnPRBoQLKbvRhMdPSll2ff/NXPkwIW7YkGJeH/"
  static let yescrypt = "$y$j75$LdJMENpBABJJ3hIHjB1Bi.$rfA07bT0O97FNWV5Cb8oFDnoGBJLXwSI4w/PIpLfyy2"  // correct horse
  static let yescryptDefault = "$y$j9T$k2XAnEHBqQ1Ct2aMXFKNa/$Ry7oZ9ThqkDutyuKduodO92iRCkOPEVA3D3cGUEN1J1"  // correct horse
  static let correctHorse = "$2y$05$KBCwKxOzLha2MUDgW0PjXeiB68uDfBmXvTUyyqNxAD2eaQ43eHNkm"
  static let batteryStaple = "$2y$05$KBCwKxOzLha2MUDgW0PjXeW8TFVOVjb.99DufDyUGUwwGUCncCW26"
  static let umlauts = "$2b$05$KBCwKxOzLha2MUDgW0PjXeAtY8jBBLJvygCSqMuhE8YNU7FuNM9ai"  // pässwörd ☃
  static let seventyTwo = "$2b$05$KBCwKxOzLha2MUDgW0PjXeBlMM5UWFWwb/KZ9AyuZT.YDE56MakJ6"  // 72 times x
}

/// A time that moves when it is told to.
final class TestTime: Sendable {
  private let state = NIOLockedValueBox((wall: Date(timeIntervalSince1970: 1_800_000_000), monotonic: NIODeadline.uptimeNanoseconds(1)))

  var clock: AuthenticationClock {
    AuthenticationClock(
      wall: { self.state.withLockedValue { $0.wall } }, monotonic: { self.state.withLockedValue { $0.monotonic } })
  }

  var wall: Date { self.state.withLockedValue { $0.wall } }

  func advance(by amount: TimeAmount) {
    self.state.withLockedValue { state in
      state.wall += Double(amount.nanoseconds) / 1e9
      state.monotonic = state.monotonic + amount
    }
  }
}

extension VerifiedCertificate {
  static func of(
    _ commonNames: [String] = ["alice"], organizations: [String] = ["developers"],
    notBefore: Date = Date(timeIntervalSince1970: 1_700_000_000), notAfter: Date = Date(timeIntervalSince1970: 1_900_000_000)
  ) -> VerifiedCertificate {
    VerifiedCertificate(
      der: [0x30], fingerprint: "aa55", commonNames: commonNames, organizations: organizations, subject: "CN=alice,O=developers",
      serial: "0102", issuer: "CN=clients", notBefore: notBefore, notAfter: notAfter)
  }
}

extension ClientAddress {
  static let home = ClientAddress(ip: "192.0.2.7", port: 50000)
  static let elsewhere = ClientAddress(ip: "198.51.100.9", port: 50000)
}

extension Secret {
  init(_ text: String) { self.init(text.utf8) }

  static func basic(_ user: String, _ password: String) -> Secret {
    Secret("Basic " + Data("\(user):\(password)".utf8).base64EncodedString())
  }
}

/// An authenticator over a small file of users, with a time of its own.
struct TestStation {
  static let users = """
    users:
    - name: alice
      passwordHash: \(KnownHash.correctHorse)
      groups: [developers, "on call"]
      uid: "1001"
      extra: {example.org/department: [research]}
    - name: bob
      passwordHash: \(KnownHash.batteryStaple)
    - name: carol
      passwordHash: \(KnownHash.correctHorse)
      disabled: true
    """

  let time: TestTime
  let memory: AuthenticationMemory
  let authenticator: Authenticator
  let eventLoop = MultiThreadedEventLoopGroup.singleton.next()

  init(
    users: String = Self.users, time: TestTime = TestTime(), memory: AuthenticationMemory = AuthenticationMemory(threads: 2),
    _ change: (inout AuthenticatorConfiguration) -> Void = { _ in }
  ) throws {
    var configuration = AuthenticatorConfiguration(passwords: [.file(try PasswordFile(content: Array(users.utf8), name: "users.yaml"))])
    change(&configuration)
    self.time = time
    self.memory = memory
    self.authenticator = Authenticator(configuration: configuration, memory: memory, clock: time.clock)
  }

  func ask(
    _ authorization: Secret..., certificate: VerifiedCertificate? = nil, from address: ClientAddress = .home,
    accepting: AcceptedMethods = [.clientCertificate, .password]
  ) -> Answer<AuthenticationOutcome> {
    self.authenticator.authenticate(
      authorization: authorization, certificate: certificate, from: address, accepting: accepting, eventLoop: self.eventLoop)
  }

  /// The answer, waited for.
  func outcome(
    _ authorization: Secret, certificate: VerifiedCertificate? = nil, from address: ClientAddress = .home,
    accepting: AcceptedMethods = [.clientCertificate, .password]
  ) async throws -> AuthenticationOutcome {
    try await self.ask(authorization, certificate: certificate, from: address, accepting: accepting).value
  }

  /// The problem of a refusal that must come without any waiting.
  func refusalNow(
    _ authorization: Secret..., certificate: VerifiedCertificate? = nil, accepting: AcceptedMethods = [.clientCertificate, .password],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Problem {
    let answer = self.authenticator.authenticate(
      authorization: authorization, certificate: certificate, from: .home, accepting: accepting, eventLoop: self.eventLoop)
    return try #require(answer.outcomeNow?.problem, sourceLocation: sourceLocation)
  }
}

extension Answer {
  var value: Value {
    get async throws {
      switch self {
      case .now(let value): value
      case .later(let future): try await future.get()
      }
    }
  }
}

extension Answer<AuthenticationOutcome> {
  /// The outcome of an answer that is there already.
  var outcomeNow: AuthenticationOutcome? {
    if case .now(let outcome) = self { outcome } else { nil }
  }
}

extension AuthenticationOutcome {
  var identity: Identity? {
    if case .identified(let identity) = self { identity } else { nil }
  }

  var problem: Problem? {
    if case .refused(let problem) = self { problem } else { nil }
  }

  var isNothing: Bool {
    if case .nothingPresented = self { true } else { false }
  }
}

/// Keeps threads of a pool occupied until it is let go.
final class Gate: Sendable {
  private let lock = ConditionLock(value: false)

  func wait() {
    self.lock.lock(whenValue: true)
    self.lock.unlock()
  }

  func open() {
    self.lock.lock()
    self.lock.unlock(withValue: true)
  }
}

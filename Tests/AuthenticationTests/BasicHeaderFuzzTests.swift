import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import SallyportCore
import Testing

@testable import SallyportAuthentication

/// `Authorization: Basic` mutated: nothing crashes, nobody is taken for somebody, and what is read is what a second reader, made of
/// Foundation's, reads.
///
/// 20,000 cases, 100,000 with `SALLYPORT_NIGHTLY=1`.
@Suite(.timeLimit(.minutes(10))) struct BasicHeaderFuzzTests {
  private static let cases = ProcessInfo.processInfo.environment["SALLYPORT_NIGHTLY"] == "1" ? 100_000 : 20_000

  private struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      self.state &+= 0x9E37_79B9_7F4A_7C15
      var value = self.state
      value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
      value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
      return value ^ (value >> 31)
    }
  }

  /// A field's value that is near a good one: on either side of base64, and with what people and programs get wrong.
  private static func value(_ random: inout SplitMix) -> [UInt8] {
    let texts = [
      "alice:alice-secret", "alice:alice-secret:", ":alice-secret", "alice:", "alice", "ALICE:alice-secret", "bob:alice-secret",
      "alice:\u{C4}-secret", "al\u{0}ice:x", "alice:alice-secret\u{0}", "\u{FEFF}alice:alice-secret", "a\u{301}lice:alice-secret",
      String(repeating: "a", count: 257) + ":x", "alice:" + String(repeating: "x", count: 512), " alice:alice-secret",
      "alice:alice-secret\r\n",
    ]
    var plain = Array((texts.randomElement(using: &random) ?? "").utf8)
    self.mutate(&plain, times: Int.random(in: 0...2, using: &random), &random)
    let scheme = ["Basic ", "basic ", "BASIC  ", "Basic\t", "Basic", "Bearer ", " Basic "].randomElement(using: &random) ?? ""
    var value = Array((random.next() % 4 == 0 ? scheme : "Basic ").utf8) + Array(Data(plain).base64EncodedString().utf8)
    if random.next() % 2 == 0 { self.mutate(&value, times: Int.random(in: 1...2, using: &random), &random) }
    return value
  }

  private static func mutate(_ bytes: inout [UInt8], times: Int, _ random: inout SplitMix) {
    for _ in 0..<times where !bytes.isEmpty {
      let at = Int.random(in: bytes.indices, using: &random)
      switch random.next() % 5 {
      case 0: bytes[at] = UInt8(truncatingIfNeeded: random.next())
      case 1: bytes[at] ^= 1 << UInt8(random.next() % 8)
      case 2: bytes.remove(at: at)
      case 3: bytes.insert(Array("=:+/-_ \t\0\r\n%,A".utf8).randomElement(using: &random) ?? 0, at: at)
      default: bytes.append(contentsOf: bytes[at...].prefix(4))
      }
    }
  }

  /// Name and password as the standard has them, read by other means.
  private static func secondReading(_ value: [UInt8]) -> (name: String, password: String)? {
    guard value.count > 6, String(decoding: value.prefix(6), as: UTF8.self).lowercased() == "basic ",
      value.prefix(6).allSatisfy({ $0 < 0x80 })
    else { return nil }
    let token = value.dropFirst(6).drop { $0 == 0x20 }
    // What Foundation decodes must be what Foundation encodes: it is lenient about what stands between.
    guard !token.isEmpty, let text = String(validating: token, as: UTF8.self), let bytes = Data(base64Encoded: text),
      bytes.base64EncodedString().utf8.elementsEqual(token)
    else { return nil }
    // Repaired where it is no UTF-8, and then another text. (`String(data:encoding:)` would take a byte order mark away.)
    let plain = String(decoding: bytes, as: UTF8.self)
    guard plain.utf8.elementsEqual(bytes), let colon = plain.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
    let (name, password) = (String(plain[..<colon]), String(plain[plain.utf8.index(after: colon)...]))
    let isControl: (Unicode.Scalar) -> Bool = { CharacterSet.controlCharacters.contains($0) && $0.properties.generalCategory == .control }
    guard !name.isEmpty, !password.isEmpty, name.utf8.count <= 256, password.utf8.count <= 511,
      !name.unicodeScalars.contains(where: isControl), !password.unicodeScalars.contains(where: isControl)
    else { return nil }
    return (name, password)
  }

  @Test func whatIsReadIsWhatASecondReaderReads() {
    var random = SplitMix(state: 0xBA51_C000)
    var read = 0
    for _ in 0..<Self.cases {
      let value = Self.value(&random)
      let ours: BasicCredential? = value.withUnsafeBytes { bytes in
        let field = AuthorizationField(reading: bytes)
        return field.isBasic ? try? BasicCredential(token: UnsafeRawBufferPointer(rebasing: bytes[field.token])) : nil
      }
      let other = Self.secondReading(value)
      if let ours {
        read += 1
        if other == nil || !ours.username.utf8.elementsEqual(other?.name.utf8 ?? "".utf8)
          || ours.password != Secret((other?.password ?? "").utf8)
        {
          Issue.record("ours alone: \(value)")
        }
      } else if let other, other.name == other.name.trimmingCharacters(in: .whitespaces), NameRules.faultOfForm(other.name) == nil {
        Issue.record("the second reader alone: \(value)")
      }
    }
    #expect(read > Self.cases / 20, "\(read)")
  }

  @Test func nobodyIsTakenForSomebody() async throws {
    // By bytes: `==` sees through Unicode normalisation, and a directory may not.
    let store = ScriptedStore { attempt in
      attempt.username.utf8.elementsEqual("alice".utf8) && attempt.password == Secret("alice-secret".utf8)
        ? .identified(StoredUser(username: "alice")) : .refused("wrong")
    }
    let configuration = AuthenticatorConfiguration(passwords: [.store(store)], throttle: .init(failures: 1_000_000))
    let authenticator = Authenticator(configuration: configuration, memory: AuthenticationMemory(threads: 1))
    let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
    var random = SplitMix(state: 0xA11C_E000)
    var identified = 0
    for number in 0..<Self.cases {
      let value = Self.value(&random)
      let answer = authenticator.authenticate(
        authorization: [Secret(value)], certificate: nil, from: ClientAddress(ip: "192.0.2.\(number % 250)", port: 1), accepting: .password,
        eventLoop: eventLoop)
      let outcome: AuthenticationOutcome
      switch answer {
      case .now(let now): outcome = now
      case .later(let future): outcome = try await future.get()
      }
      let isAlice = Self.secondReading(value).map {
        $0.name.utf8.elementsEqual("alice".utf8) && $0.password.utf8.elementsEqual("alice-secret".utf8)
      }
      switch outcome {
      case .identified(let identity):
        identified += 1
        if identity.username != "alice" || isAlice != true { Issue.record("identified: \(value)") }
      case .refused(let problem):
        if isAlice == true { Issue.record("refused (\(problem)): \(value)") }
      case .nothingPresented: if isAlice == true { Issue.record("overlooked: \(value)") }
      }
    }
    #expect(identified > 0)
  }
}

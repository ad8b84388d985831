import NIOCore
import SallyportAuthentication
import SallyportConfiguration
import SallyportCore
import SallyportCredential
import SallyportJSON
import SallyportUpstream
import SallyportWire

import struct Foundation.Date

/// Asks an API server whom it takes the gateway's user for (`SelfSubjectReview`, authentication.k8s.io/v1), by one credential, and
/// says in plain words what is wrong.
struct CredentialProbe {
  /// Somebody whom nothing is granted to.
  static let username = "sallyport-probe"
  static let group = "sallyport:probe"
  private static let target = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
  private static let review = #"{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}"#
  /// Clocks that differ by more are said to, in seconds.
  private static let clockTolerance = 30.0

  let name: String
  let upstreamName: String
  let upstream: Upstream
  let credential: CredentialSource
  let eventLoop: any EventLoop

  private var subject: String { "credential \(self.name) at upstream \(self.upstreamName)" }

  func probe(at now: Date = Date()) async -> ProbeFinding {
    guard self.credential.statesIdentity else { return .good(self.subject, "not asked about: what it tells is the client's own") }
    guard let identity = Identity.ownIdentity(username: Self.username, groups: [Self.group]) else {
      return .bad(self.subject, "the probe's own name is nobody's to be")
    }
    let question = UpstreamQuestion(
      upstream: self.upstream, credential: self.credential, identity: identity, eventLoop: self.eventLoop, asUser: true)
    do {
      var fields = HeaderFields()
      try fields.append("Accept", "application/json")
      try fields.append("Content-Type", "application/json")
      try fields.append("User-Agent", "sallyport/probe")
      let answer = try await question.answer(
        to: .post, Self.target, fields, body: ByteBuffer(string: Self.review), atMost: 1024 * 1024, within: .seconds(10),
        .init(failed: .probeFailed, timeout: .probeTimeout, tooLarge: .probeFailed))
      return self.finding(answer, at: now)
    } catch {
      let problem = error as? Problem
      return .bad(self.subject, problem.map { $0.detail.isEmpty ? $0.message : $0.detail } ?? "\(error)")
    }
  }

  private func finding(_ answer: UpstreamQuestion.Answer, at now: Date) -> ProbeFinding {
    let clock = self.clockFault(answer.date, at: now).map { "; \($0)" } ?? ""
    let text = String(decoding: answer.body, as: UTF8.self)
    // With anonymous access on, who is not believed is somebody all the same.
    guard answer.status != 401, !text.contains("system:anonymous") else {
      return .bad(self.subject, "the upstream does not believe it; \(CredentialRefusals.cure(self.kind) ?? "")\(clock)")
    }
    guard answer.status == 201 || answer.status == 200 else {
      return .bad(
        self.subject, "the upstream answers a SelfSubjectReview with status \(answer.status): \(self.message(answer.body))\(clock)")
    }
    guard let user = (try? JSONReader.read(answer.body))?["status"]?["userInfo"], let username = user["username"]?.string else {
      return .bad(self.subject, "the upstream's answer to a SelfSubjectReview cannot be read")
    }
    let groups = user["groups"]?.strings ?? []
    guard username == Self.username else { return .bad(self.subject, self.wrongName(username)) }
    guard groups.contains(Self.group) else {
      return .bad(self.subject, "the upstream knows the user and not his groups; \(self.groupsCure)")
    }
    return clock.isEmpty
      ? .good(self.subject, "the upstream knows the user and his groups")
      : .bad(self.subject, "the upstream knows the user and his groups\(clock)")
  }

  private var kind: String {
    switch self.credential {
    case .requestHeaders: "requestHeaders"
    case .idToken, .phantomToken: "idToken"
    case .clientCertificate: "clientCertificate"
    case .impersonation: "impersonation"
    case .passthrough, .none: ""
    }
  }

  private func wrongName(_ username: String) -> String {
    let known = "the upstream takes the user \(Self.username) for \(username.debugDescription); "
    switch self.credential {
    case .requestHeaders:
      return known
        + "the certificate of the credential is a user's own there: it must lead to --requestheader-client-ca-file, and its common "
        + "name must be among --requestheader-allowed-names"
    case .idToken, .phantomToken:
      return known
        + "--oidc-username-claim should be sub, and --oidc-username-prefix `-` (in an AuthenticationConfiguration: claim sub, prefix "
        + "empty)"
    case .impersonation: return known + "it does not heed Impersonate-User"
    case .clientCertificate, .passthrough, .none: return known + "it reads another part of certificates than the common name"
    }
  }

  private var groupsCure: String {
    switch self.credential {
    case .idToken, .phantomToken: "--oidc-groups-claim should be groups, without a prefix"
    case .requestHeaders: "its --requestheader-group-headers should be X-Remote-Group"
    default: "somebody on the way takes them away"
    }
  }

  private func message(_ body: [UInt8]) -> String {
    (try? JSONReader.read(body))?["message"]?.string.map { String($0.prefix(300)) } ?? "no message"
  }

  private func clockFault(_ date: String, at now: Date) -> String? {
    guard let stated = Self.time(date) else { return nil }
    let difference = stated.timeIntervalSince(now)
    guard abs(difference) > Self.clockTolerance else { return nil }
    return "its clock is \(Int(abs(difference))) s \(difference > 0 ? "ahead of" : "behind") this one"
  }
}

extension CredentialProbe {
  /// The time of a `Date` field, in the one form that senders may use (RFC 9110 section 5.6.7).
  static func time(_ text: String) -> Date? {
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    guard let match = text.wholeMatch(of: /[A-Z][a-z]{2}, ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT/),
      let month = months.firstIndex(of: String(match.2)), let day = Int(match.1), let year = Int(match.3), let hour = Int(match.4),
      let minute = Int(match.5), let second = Int(match.6), year >= 1970
    else { return nil }
    // The days before a month, counted in years that begin with March, so that the leap day is their last.
    let (shifted, monthOfYear) = month < 2 ? (year - 1, month + 10) : (year, month - 2)
    let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + (monthOfYear * 153 + 2) / 5 + day - 1 - 719_468
    return Date(timeIntervalSince1970: Double(days * 86_400 + hour * 3600 + minute * 60 + second))
  }
}

extension Generation {
  /// Asks every API server by every credential that a route shows it.
  func probeCredentials(of configuration: GatewayConfiguration, on eventLoop: any EventLoop) async -> [ProbeFinding] {
    var asked: Set<[String]> = []
    var findings: [ProbeFinding] = []
    for route in configuration.routes where asked.insert([route.credential, route.upstream]).inserted {
      guard configuration.upstreams.first(where: { $0.name == route.upstream })?.kind == .kubernetes,
        let upstream = self.upstreams[route.upstream], let credential = self.credentials.named[route.credential]
      else { continue }
      let probe = CredentialProbe(
        name: route.credential, upstreamName: route.upstream, upstream: upstream, credential: credential.source, eventLoop: eventLoop)
      findings.append(await probe.probe())
    }
    return findings
  }
}

extension Problem {
  static let probeFailed = Problem("probeFailed", blame: .upstream, status: 502, message: "The upstream's answer could not be read.")
  static let probeTimeout = Problem(
    "probeTimeout", blame: .upstream, status: 504, message: "The upstream did not answer within ten seconds.")
}

import Logging
import NIOConcurrencyHelpers
import NIOCore
import SallyportCore
import SallyportWire

/// What an upstream says that does not believe the gateway: the operator's fault and not the client's, who has proven who he
/// is and would only be asked to do it again.
final class CredentialRefusals: Sendable {
  /// An upstream that believes nobody is news once, and then once in this while.
  private static let logInterval = TimeAmount.minutes(1)

  private let logger: Logger
  private let logged = NIOLockedValueBox<[String: NIODeadline]>([:])

  init(logger: Logger) { self.logger = logger }

  /// The problem that an answer is, if it is one: the API server's own 401 to a request that says by a credential of the
  /// gateway's who makes it.
  ///
  /// Behind a proxy subresource another server answers, whose 401 is its own.
  func problem(in head: ResponseHead, to request: CredentialedRequest, upstream: String) -> Problem? {
    guard head.status == 401, let info = request.permitted.authenticated.reading.info, info.subresource != "proxy",
      let cure = Self.cure(request.credential.kind)
    else { return nil }
    let problem = Problem.upstreamDisbelieves.with(detail: "\(upstream) answered 401 to a \(request.credential.kind) credential; \(cure)")
    self.log(problem, upstream, request.credential.kind)
    return problem
  }

  private func log(_ problem: Problem, _ upstream: String, _ kind: String) {
    let now = NIODeadline.now()
    let isNews = self.logged.withLockedValue { logged in
      if let last = logged["\(upstream) \(kind)"], now < last + Self.logInterval { return false }
      logged["\(upstream) \(kind)"] = now
      return true
    }
    guard isNews else { return }
    self.logger.error("an upstream does not believe who its requests are from", metadata: ["problem": "\(problem.detail)"])
  }

  /// What to look at; `nil` for a credential that is the client's own, and for none.
  static func cure(_ kind: String) -> String? {
    switch kind {
    case "requestHeaders":
      "does its --requestheader-client-ca-file hold the CA of the credential's certificate, is that still valid, and is its common name "
        + "among --requestheader-allowed-names?"
    case "idToken":
      "do its --oidc-issuer-url and --oidc-client-id (or AuthenticationConfiguration) say the issuer's URL and the credential's audience, "
        + "does it take the keys' algorithm (--oidc-signing-algs), can it fetch the issuer's keys, trusting the gateway's certificate, and "
        + "do both clocks agree?"
    case "clientCertificate":
      "does its --client-ca-file hold the minting CA, is that still valid, and do both clocks agree?"
    case "impersonation":
      "is the token in the credential's tokenFile the upstream's own and still valid, or does its --client-ca-file hold the CA of the "
        + "credential's certificate?"
    case "phantomToken":
      "does it know the issuer of the tokens that introspection answers with, and are they for its audience?"
    default: nil
    }
  }
}

extension Problem {
  static let upstreamDisbelieves = Problem(
    "upstreamDisbelieves", blame: .operator, status: 502,
    message: "The upstream server did not accept the gateway's word for who you are; the gateway's operator has the details.")
}

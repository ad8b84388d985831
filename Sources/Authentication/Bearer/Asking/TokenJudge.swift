import SallyportCore

import struct Foundation.Date

/// Somebody who is asked about tokens that the gateway cannot judge by itself.
protocol TokenJudge: Sendable {
  /// What the identities are judged by that come from here: the same for every judge that would judge alike.
  var verifier: [UInt8] { get }

  /// Begins to fetch what will be needed, where anything is.
  func begin()

  /// Who it is, for an operator.
  var subject: String { get }

  /// The refusals of a token that is simply not known.
  var refusals: Set<String> { get }

  /// What to do about a fault, by words of it.
  var cures: [(symptom: String, cure: String)] { get }

  /// Asks about a token, in a bounded time. Whatever is not exactly the answer that a good token gets refuses it.
  ///
  /// - Parameter wall: the time, for when the answer is there
  func judgement(of token: Secret, at wall: @Sendable () -> Date) async -> TokenJudgement
}

extension TokenJudge {
  func begin() {}
}

enum TokenJudgement: Sendable {
  case believed(Identity)
  case refused(String)
  /// Nothing was learned of the token.
  case unknown(String)
}

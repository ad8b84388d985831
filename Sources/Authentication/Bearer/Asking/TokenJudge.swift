import SallyportCore

import struct Foundation.Date

/// Somebody who is asked about tokens that the gateway cannot judge by itself.
protocol TokenJudge: Sendable {
  /// What the identities are judged by that come from here: the same for every judge that would judge alike.
  var verifier: [UInt8] { get }

  /// Asks about a token, in a bounded time. Whatever is not exactly the answer that a good token gets refuses it.
  ///
  /// - Parameter wall: the time, for when the answer is there
  func judgement(of token: Secret, at wall: @Sendable () -> Date) async -> TokenJudgement
}

enum TokenJudgement: Sendable {
  case believed(Identity)
  case refused(String)
  /// Nothing was learned of the token.
  case unknown(String)
}

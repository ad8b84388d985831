import NIOCore
import SallyportAudit
import SallyportCore

/// A request that stays, and can be ended by the gateway: a watch, another streamed answer, a tunnel.
protocol CuttableStream: AnyObject {
  /// Ends the stream at both sides; its closing record says why. What is over already is left alone.
  func cut(_ reason: StreamEnd.Reason)
}

/// What is known of a stream, for those who decide whether it may stay.
struct StreamFacts: Sendable {
  let subject: Subject?
  let connection: ConnectionFacts
  let route: String
  let isTunnel: Bool
  /// The upstream's name.
  var upstream = ""
  /// The request as policy let it through, without what proved its sender.
  var request: AuthenticatedRequest?
}

/// How long streams may last.
struct StreamLimits: Sendable, Hashable {
  /// How long a stream outlasts the credential that it was admitted by.
  var credentialGrace = TimeAmount.zero
  /// `nil` for no limit.
  var maximumAge: TimeAmount?
}

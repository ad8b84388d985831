import NIOCore

/// What metrics want to know of a request beside its audit record. Kept by the exchange.
struct RequestMeasure {
  /// The route's number; see ``RouteNumbers``.
  var route = RouteNumbers.none
  let began = NIODeadline.now()
  /// When the request was given to its upstream, and when the head of the answer came.
  var forwarded: NIODeadline?
  var answered: NIODeadline?

  /// How long the upstream took to its answer's head, in seconds; `nil` where there was none.
  var upstreamSeconds: Double? {
    guard let forwarded, let answered else { return nil }
    return Self.seconds(answered - forwarded)
  }

  func seconds(at now: NIODeadline) -> Double { Self.seconds(now - self.began) }

  private static func seconds(_ time: TimeAmount) -> Double { Double(time.nanoseconds) / 1e9 }
}

import NIOCore

/// How things stand with the catalogue of one upstream, for metrics, `readyz` and the log.
struct CatalogueStatus: Sendable {
  /// The upstream's name.
  let upstream: String
  /// When the server last confirmed the catalogue as a whole; `nil` before the first time.
  var confirmed: NIODeadline?
  /// Grows with every catalogue that takes the place of another; 0 before the first.
  var revision = 0
  var operations = 0
  /// How many documents the catalogue is made of.
  var documents = 0
  /// Documents that the server lists and that could not be fetched or read as they are now: an older one stands in, or none.
  var stale: [String] = []
  /// What went wrong last; `nil` when the last refresh had nothing to complain of.
  var fault: String?
  /// How many refreshes there were, and how many of them failed as a whole.
  var refreshes = 0
  var failures = 0
  /// Whether the source at hand has asked at all, not only one before it.
  var wasJustAsked = false

  init(upstream: String) { self.upstream = upstream }

  /// Whether there is a catalogue at all. Without one, policies that need it deny what they cannot decide.
  var isLoaded: Bool { self.revision > 0 }

  /// How long ago the server last confirmed the catalogue; `nil` where there is none.
  func age(at now: NIODeadline = .now()) -> TimeAmount? { self.confirmed.map { now - $0 } }
}

public import NIOCore
import SallyportWire

/// A protocol that a connection may change to (RFC 9110 section 7.8), as the API server speaks them.
public enum UpgradeProtocol: String, Sendable, Hashable, CaseIterable {
  /// RFC 6455; asked for by GET.
  case webSocket = "websocket"
  /// The multiplexed streams of `kubectl exec` and its kind; asked for by POST, or by GET.
  case spdy = "SPDY/3.1"

  /// The protocol that a field's value names, in any letter case.
  public init?(name: String) {
    guard let found = Self.allCases.first(where: { $0.rawValue.lowercased() == name.lowercased() }) else { return nil }
    self = found
  }

  func isAsked(by method: Method) -> Bool {
    switch self {
    case .webSocket: method == .get
    case .spdy: method == .get || method == .post
    }
  }
}

/// One end of a tunnel: a connection behind its 101, whose bytes are no HTTP any more.
///
/// Until it is opened it holds what has arrived and reads nothing more. Every call is made on its event loop.
public protocol TunnelEnd: AnyObject {
  var eventLoop: any EventLoop { get }
  /// Begins to deliver: first what was held, also the end of the connection if that came already.
  func open(_ delegate: any TunnelEndDelegate)
  /// The bytes leave no sooner than the next ``flush()``.
  func send(_ bytes: ByteBuffer)
  func flush()
  /// Nothing more will be sent: the connection is closed in this direction once everything was taken, and altogether once
  /// the other direction has ended too.
  func sendEnd()
  func setReading(paused: Bool)
  /// Ends the connection without the farewell by which TLS says that all was said. What was sent before may still leave,
  /// for a second at most. The delegate hears nothing more.
  func cut()
}

/// What happens at one end of a tunnel.
public protocol TunnelEndDelegate: AnyObject {
  func tunnelReceived(_ bytes: ByteBuffer)
  /// What arrived together has been passed on: the moment to flush.
  func tunnelReadComplete()
  /// The peer sends no more, and may still receive.
  func tunnelInputEnded()
  func tunnelWritabilityChanged(_ isWritable: Bool)
  /// The connection is closed; the last call.
  ///
  /// - Parameter failure: what was wrong; `nil` where both directions had ended and everything sent was taken
  func tunnelClosed(_ failure: TunnelFailure?)
}

/// Why an end of a tunnel closed before it should have.
public struct TunnelFailure: Error, Sendable, CustomStringConvertible {
  /// For the operator: the error as the system or TLS named it.
  public let description: String
  public init(_ description: String) { self.description = description }
}

import CLDAP
import Dispatch
import Glibc
import NIOConcurrencyHelpers
import NIOCore

/// Ends what libldap does on a socket when it takes too long.
///
/// libldap's own limits do not cover all of it: with GnuTLS a handshake reads from a blocking socket, and a server that has
/// accepted the connection and says nothing more holds the thread for good. Shutting the socket down makes every such read
/// and write return. The socket is only touched while the step runs that it is watched for, so that its number cannot have
/// become another connection's.
final class SocketWatch: Sendable {
  private struct State {
    var descriptor: Int32?
    /// Which step is watched; `nil` between steps.
    var step: Int?
    var count = 0
    var hasFired = false
  }

  private let state = NIOLockedValueBox(State())

  /// Whether a step took too long. The connection is of no more use then.
  var hasFired: Bool { self.state.withLockedValue { $0.hasFired } }

  /// Runs a step that ends within the limit, or soon after it.
  func watching<Value, Fault: Error>(_ limit: TimeAmount, _ step: () throws(Fault) -> Value) throws(Fault) -> Value {
    let number = self.state.withLockedValue { state in
      state.count += 1
      state.step = state.count
      return state.count
    }
    defer { self.state.withLockedValue { $0.step = nil } }
    // Behind libldap's own limits, which give the better errors.
    DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(Int(limit.nanoseconds + limit.nanoseconds / 10))) { [weak self] in
      self?.fire(number)
    }
    return try step()
  }

  private func fire(_ number: Int) {
    self.state.withLockedValue { state in
      guard state.step == number else { return }
      state.hasFired = true
      if let descriptor = state.descriptor { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }
  }

  // MARK: libldap's callbacks

  /// The callbacks that tell of the socket. They and this object must outlive the session.
  func callbacks() -> ldap_conncb {
    ldap_conncb(
      lc_add: { _, buffer, _, _, callbacks in
        SocketWatch.of(callbacks)?.opened(buffer)
        return 0
      },
      lc_del: { _, _, callbacks in SocketWatch.of(callbacks)?.closed() }, lc_arg: Unmanaged.passUnretained(self).toOpaque())
  }

  private static func of(_ callbacks: UnsafeMutablePointer<ldap_conncb>?) -> SocketWatch? {
    callbacks?.pointee.lc_arg.map { Unmanaged<SocketWatch>.fromOpaque($0).takeUnretainedValue() }
  }

  private func opened(_ buffer: OpaquePointer?) {
    var descriptor: Int32 = -1
    guard ber_sockbuf_ctrl(buffer, LBER_SB_OPT_GET_FD, &descriptor) == 1, descriptor >= 0 else { return }
    self.state.withLockedValue { state in
      state.descriptor = descriptor
      if state.hasFired { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }
  }

  private func closed() { self.state.withLockedValue { $0.descriptor = nil } }
}

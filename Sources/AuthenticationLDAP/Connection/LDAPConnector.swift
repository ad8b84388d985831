import CLDAP
import Glibc
import NIOCore

/// Makes connections by libldap.
///
/// Every option is set for each handle, so that neither `ldap.conf` nor the environment has a say.
struct LDAPConnector: DirectoryConnector {
  let encryption: LDAPConfiguration.Encryption

  /// ldap_open(3): "the first call into the LDAP library also initializes the global options for the library. As such the
  /// first call should be single-threaded or otherwise protected to insure that only one call is active." A static value's
  /// initialiser runs once, and whoever comes meanwhile waits for it.
  private static let isInitialised: Bool = {
    var version: Int32 = 0
    return ldap_get_option(nil, LDAP_OPT_PROTOCOL_VERSION, &version) == LDAP_OPT_SUCCESS
  }()

  func connect(to server: LDAPConfiguration.Server, within limit: TimeAmount) throws(DirectoryFault) -> any DirectoryConnection {
    guard Self.isInitialised else { throw DirectoryFault(kind: .unreachable, detail: "libldap could not be initialised") }
    var pointer: OpaquePointer?
    guard ldap_initialize(&pointer, server.description) == LDAP_SUCCESS, let pointer else {
      throw DirectoryFault(kind: .unreachable, detail: "libldap took no handle for the server's address")
    }
    let handle = LDAPHandle(pointer)
    do throws(DirectoryFault) {
      try self.setOptions(of: pointer, limit)
      try handle.within(limit) { pointer throws(DirectoryFault) in try self.open(pointer, server) }
      return handle
    } catch {
      handle.close()
      throw error
    }
  }

  private func open(_ handle: OpaquePointer, _ server: LDAPConfiguration.Server) throws(DirectoryFault) {
    if case .tls = self.encryption, server.scheme == .ldap {
      try LDAPHandle.check(ldap_start_tls_s(handle, nil, nil), of: handle, "StartTLS")
      guard ldap_tls_inplace(handle) == 1 else { throw DirectoryFault(kind: .unreachable, detail: "StartTLS brought no TLS") }
    } else {
      try LDAPHandle.check(ldap_connect(handle), of: handle, "connecting")
      guard server.scheme == .ldap || ldap_tls_inplace(handle) == 1 else {
        throw DirectoryFault(kind: .unreachable, detail: "the connection has no TLS")
      }
    }
  }

  private func setOptions(of handle: OpaquePointer, _ limit: TimeAmount) throws(DirectoryFault) {
    func set<Value>(_ option: Int32, _ value: Value) throws(DirectoryFault) {
      let code = withUnsafePointer(to: value) { ldap_set_option(handle, option, $0) }
      guard code == LDAP_OPT_SUCCESS else { throw DirectoryFault(kind: .unreachable, detail: "libldap refused option \(option)") }
    }
    func set(_ option: Int32, text: String) throws(DirectoryFault) {
      guard text.withCString({ ldap_set_option(handle, option, $0) }) == LDAP_OPT_SUCCESS else {
        throw DirectoryFault(kind: .unreachable, detail: "libldap refused option \(option)")
      }
    }
    try set(LDAP_OPT_PROTOCOL_VERSION, Int32(LDAP_VERSION3))
    // A referral would be followed to any server that an entry names, with no password or with the user's.
    guard ldap_set_option(handle, LDAP_OPT_REFERRALS, nil) == LDAP_OPT_SUCCESS else {
      throw DirectoryFault(kind: .unreachable, detail: "libldap would follow referrals")
    }
    try set(LDAP_OPT_DEREF, Int32(LDAP_DEREF_NEVER))
    try set(LDAP_OPT_SIZELIMIT, Int32(0))
    try set(LDAP_OPT_TIMELIMIT, Int32(0))
    // Of connecting and the TLS handshake, and of operations that wait by themselves (StartTLS).
    try set(LDAP_OPT_NETWORK_TIMEOUT, timeval(limit))
    try set(LDAP_OPT_TIMEOUT, timeval(limit))
    try set(LDAP_OPT_X_KEEPALIVE_IDLE, Int32(30))
    try set(LDAP_OPT_X_KEEPALIVE_INTERVAL, Int32(10))
    try set(LDAP_OPT_X_KEEPALIVE_PROBES, Int32(3))
    guard case .tls(let caFile) = self.encryption else { return }
    try set(LDAP_OPT_X_TLS_REQUIRE_CERT, Int32(LDAP_OPT_X_TLS_HARD))
    try set(LDAP_OPT_X_TLS_CACERTFILE, text: caFile)
    // GnuTLS's words, for Debian's libldap has its TLS from there.
    try set(LDAP_OPT_X_TLS_CIPHER_SUITE, text: "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2")
    // What was set takes effect in a new context of this handle's own; the file is read anew for each.
    let code = withUnsafePointer(to: Int32(0)) { ldap_set_option(handle, LDAP_OPT_X_TLS_NEWCTX, $0) }
    guard code == LDAP_OPT_SUCCESS else { throw DirectoryFault(kind: .unreachable, detail: "the caFile cannot be used for TLS") }
  }
}

extension timeval {
  /// At least a millisecond: zero is no limit to some of libldap's calls.
  init(_ amount: TimeAmount) {
    let microseconds = max(1000, amount.nanoseconds / 1000)
    self.init(tv_sec: Int(microseconds / 1_000_000), tv_usec: Int(microseconds % 1_000_000))
  }
}

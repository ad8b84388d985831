import CLDAP
import Glibc
import NIOCore
import SallyportCore
import SallyportLDAPSyntax

/// One session of libldap, used by one thread.
///
/// ldap_dup(3): "The session handle may be shared amongst threads, however the error codes are unique to a session handle.
/// Multiple threads performing different operations using the same session handle will result in inconsistent error codes
/// and return values." So each handle belongs to one thread of ``LDAPStore`` and is not `Sendable`.
final class LDAPHandle: DirectoryConnection {
  private var handle: OpaquePointer?
  private let watch = SocketWatch()
  private let callbacks: UnsafeMutablePointer<ldap_conncb>

  /// Takes the session over, before it has a socket.
  init(_ handle: OpaquePointer) {
    self.handle = handle
    self.callbacks = .allocate(capacity: 1)
    self.callbacks.initialize(to: self.watch.callbacks())
    ldap_set_option(handle, LDAP_OPT_CONNECT_CB, self.callbacks)
  }

  deinit {
    self.close()
    self.callbacks.deallocate()
  }

  func close() {
    guard let handle = self.handle else { return }
    self.handle = nil
    // A farewell to a server that does not read is not waited for.
    self.watch.watching(.milliseconds(200)) { _ = ldap_unbind_ext(handle, nil, nil) }
  }

  /// Runs a step of the session that ends in time; one that had to be ended has timed out, whatever libldap says of it.
  func within<Value>(
    _ limit: TimeAmount, _ step: (OpaquePointer) throws(DirectoryFault) -> Value
  ) throws(DirectoryFault) -> Value {
    guard let handle = self.handle else { throw DirectoryFault(kind: .unreachable, detail: "the connection was closed") }
    do throws(DirectoryFault) {
      return try self.watch.watching(limit) { () throws(DirectoryFault) in try step(handle) }
    } catch {
      guard self.watch.hasFired else { throw error }
      throw DirectoryFault(kind: .timedOut, detail: "\(error.detail), after it had taken too long")
    }
  }

  // MARK: Bind

  func bind(name: String, password: Secret, within limit: TimeAmount) throws(DirectoryFault) -> BindAnswer {
    try self.within(limit) { handle throws(DirectoryFault) in try Self.bind(handle, name, password, limit) }
  }

  private static func bind(
    _ handle: OpaquePointer, _ name: String, _ password: Secret, _ limit: TimeAmount
  ) throws(DirectoryFault) -> BindAnswer {
    // A name without a password is an "unauthenticated bind" (RFC 4513 section 5.1.2): many servers answer it with success.
    guard !password.isEmpty else { return BindAnswer(code: Int32(LDAP_UNWILLING_TO_PERFORM), diagnostic: "", policyError: nil) }
    var policyRequest: UnsafeMutablePointer<LDAPControl>?
    ldap_create_passwordpolicy_control(handle, &policyRequest)
    defer { ldap_control_free(policyRequest) }
    var controls: [UnsafeMutablePointer<LDAPControl>?] = policyRequest == nil ? [nil] : [policyRequest, nil]
    var message: Int32 = 0
    let code = password.withBytes { bytes in
      withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { copy in
        for (index, byte) in bytes.enumerated() { copy[index] = CChar(bitPattern: byte) }
        copy[bytes.count] = 0
        var credentials = berval(bv_len: ber_len_t(bytes.count), bv_val: copy.baseAddress)
        // The mechanism `nil` is the simple bind. libldap's own copy of the message goes with its send buffer.
        let code = ldap_sasl_bind(handle, name, nil, &credentials, &controls, nil, &message)
        if let start = copy.baseAddress { explicit_bzero(start, copy.count) }
        return code
      }
    }
    try self.check(code, of: handle, "the bind")
    let result = try self.result(of: message, on: handle, within: limit, "the bind")
    defer { ldap_msgfree(result) }
    return try self.bindAnswer(in: result, of: handle)
  }

  private static func bindAnswer(in result: OpaquePointer, of handle: OpaquePointer) throws(DirectoryFault) -> BindAnswer {
    var code: Int32 = 0
    var text: UnsafeMutablePointer<CChar>?
    var controls: UnsafeMutablePointer<UnsafeMutablePointer<LDAPControl>?>?
    try self.check(ldap_parse_result(handle, result, &code, nil, &text, nil, &controls, 0), of: handle, "the bind's answer")
    defer {
      ldap_memfree(text)
      ldap_controls_free(controls)
    }
    var policyError: Int32?
    if let controls, let control = ldap_control_find(LDAP_CONTROL_PASSWORDPOLICYRESPONSE, controls, nil) {
      var error = PP_noError
      if ldap_parse_passwordpolicy_control(handle, control, nil, nil, &error) == LDAP_SUCCESS, error != PP_noError {
        policyError = Int32(bitPattern: error.rawValue)
      }
    }
    return BindAnswer(code: code, diagnostic: text.map { String(cString: $0) } ?? "", policyError: policyError)
  }

  // MARK: Search

  func search(_ search: DirectorySearch, within limit: TimeAmount) throws(DirectoryFault) -> [DirectoryEntry] {
    try self.within(limit) { handle throws(DirectoryFault) in try Self.search(handle, search, limit) }
  }

  private static func search(
    _ handle: OpaquePointer, _ search: DirectorySearch, _ limit: TimeAmount
  ) throws(DirectoryFault) -> [DirectoryEntry] {
    let scope =
      switch search.scope {
      case .base: LDAP_SCOPE_BASE
      case .one: LDAP_SCOPE_ONELEVEL
      case .subtree: LDAP_SCOPE_SUBTREE
      }
    // `1.1` is "no attributes" (RFC 4511 section 4.5.1.8); an empty list would be all of them.
    let names = search.attributes.isEmpty ? ["1.1"] : search.attributes.map(\.text)
    var attributes = names.map { strdup($0) } + [nil]
    defer { for attribute in attributes { free(attribute) } }
    var message: Int32 = 0
    // The server is told the limit as well, in whole seconds.
    var serverLimit = timeval(limit)
    let code = ldap_search_ext(
      handle, search.base, Int32(scope), search.filter.text, &attributes, 0, nil, nil, &serverLimit, Int32(search.atMost), &message)
    try self.check(code, of: handle, "a search")
    let result = try self.result(of: message, on: handle, within: limit, "a search")
    defer { ldap_msgfree(result) }
    var answer: Int32 = 0
    try self.check(ldap_parse_result(handle, result, &answer, nil, nil, nil, nil, 0), of: handle, "a search's answer")
    guard answer == LDAP_SUCCESS else { throw self.answered(answer, "a search") }
    var entries: [DirectoryEntry] = []
    var entry = ldap_first_entry(handle, result)
    while let present = entry {
      entries.append(try self.entry(present, of: handle))
      entry = ldap_next_entry(handle, present)
    }
    return entries
  }

  private static func entry(_ entry: OpaquePointer, of handle: OpaquePointer) throws(DirectoryFault) -> DirectoryEntry {
    guard let name = ldap_get_dn(handle, entry) else { throw DirectoryFault(kind: .unreachable, detail: "an entry has no name") }
    defer { ldap_memfree(name) }
    var attributes: [String: [[UInt8]]] = [:]
    var position: OpaquePointer?
    var attribute = ldap_first_attribute(handle, entry, &position)
    while let present = attribute {
      if let values = ldap_get_values_len(handle, entry, present) {
        attributes[String(cString: present).lowercased()] = (0..<Int(ldap_count_values_len(values))).map { index in
          guard let value = values[index], let start = value.pointee.bv_val else { return [] }
          return Array(UnsafeRawBufferPointer(start: start, count: Int(value.pointee.bv_len)))
        }
        ldap_value_free_len(values)
      }
      ldap_memfree(present)
      attribute = ldap_next_attribute(handle, entry, position)
    }
    if let position { ber_free(position, 0) }
    return DirectoryEntry(name: String(cString: name), attributes: attributes)
  }

  // MARK: Answers

  private static func result(
    of message: Int32, on handle: OpaquePointer, within limit: TimeAmount, _ step: String
  ) throws(DirectoryFault) -> OpaquePointer {
    var time = timeval(limit)
    var result: OpaquePointer?
    switch ldap_result(handle, message, Int32(LDAP_MSG_ALL), &time, &result) {
    case 0: throw DirectoryFault(kind: .timedOut, detail: "\(step) was not answered in time")
    case -1:
      try self.check(self.lastCode(of: handle), of: handle, step)
      throw DirectoryFault(kind: .unreachable, detail: "\(step) has no result")
    default:
      guard let result else { throw DirectoryFault(kind: .unreachable, detail: "\(step) has no result") }
      return result
    }
  }

  private static func lastCode(of handle: OpaquePointer) -> Int32 {
    var code: Int32 = 0
    return ldap_get_option(handle, LDAP_OPT_RESULT_CODE, &code) == LDAP_OPT_SUCCESS ? code : Int32(LDAP_OTHER)
  }

  static func answered(_ code: Int32, _ step: String) -> DirectoryFault {
    DirectoryFault(kind: .answered(code), detail: "\(step) was answered: \(String(cString: ldap_err2string(code))) (\(code))")
  }

  /// Turns a code of libldap's into a fault. Negative ones are its own; of the others a server sent them.
  static func check(_ code: Int32, of handle: OpaquePointer, _ step: String) throws(DirectoryFault) {
    guard code != LDAP_SUCCESS else { return }
    guard code < 0 else { throw self.answered(code, step) }
    var text: UnsafeMutablePointer<CChar>?
    ldap_get_option(handle, LDAP_OPT_DIAGNOSTIC_MESSAGE, &text)
    defer { ldap_memfree(text) }
    // TLS's own words stand there: an unknown authority, another name.
    let words = [String(cString: ldap_err2string(code)), text.map { String(cString: $0) } ?? ""].filter { !$0.isEmpty }
    throw DirectoryFault(
      kind: code == LDAP_TIMEOUT ? .timedOut : .unreachable, detail: "\(step) failed: \(words.joined(separator: ", "))")
  }
}

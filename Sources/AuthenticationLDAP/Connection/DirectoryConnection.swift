import NIOCore
import SallyportCore
import SallyportLDAPSyntax

/// A connection to a directory, as far as passwords and groups need one. One thread uses it.
protocol DirectoryConnection: AnyObject {
  /// Presents a name and a password, which is not empty.
  ///
  /// - Throws: where there is no answer
  func bind(name: String, password: Secret, within limit: TimeAmount) throws(DirectoryFault) -> BindAnswer

  /// The entries that match. References to other servers are not followed and left out.
  ///
  /// - Parameter atMost: with more matches than this, the server's `sizeLimitExceeded` is thrown
  /// - Throws: also where the server answers with anything but success: half a result is none
  func search(_ search: DirectorySearch, within limit: TimeAmount) throws(DirectoryFault) -> [DirectoryEntry]

  func close()
}

protocol DirectoryConnector: Sendable {
  /// Connects and, where the configuration wants it, has TLS with a server whose certificate was verified.
  func connect(to server: LDAPConfiguration.Server, within limit: TimeAmount) throws(DirectoryFault) -> any DirectoryConnection
}

struct DirectorySearch: Sendable {
  enum Scope: Sendable { case base, one, subtree }

  var base: String
  var scope: Scope
  var filter: LDAPFilter
  var attributes: [AttributeName]
  var atMost: Int
}

struct DirectoryEntry: Sendable {
  let name: String
  /// By the attributes' names in lower case.
  let attributes: [String: [[UInt8]]]

  func values(of attribute: AttributeName) -> [[UInt8]] { self.attributes[attribute.key] ?? [] }
}

/// A server's answer to a bind.
struct BindAnswer: Sendable {
  /// The result code (RFC 4511 section 4.1.9).
  let code: Int32
  /// The server's own words, for reading a sub-code out of; never shown or logged whole.
  let diagnostic: String
  /// The error of a password policy response (draft-behera-ldap-password-policy section 6.2).
  let policyError: Int32?
}

/// Why a directory gave no answer that can be used.
struct DirectoryFault: Error, Sendable {
  enum Kind: Sendable, Hashable {
    /// Not reachable, TLS that failed, or a connection that ended.
    case unreachable
    case timedOut
    /// The server answered, with this result code.
    case answered(Int32)
  }

  let kind: Kind
  /// For the operator; names the step and the library's or server's standard words.
  let detail: String

  /// Whether the connection is of no more use.
  var endsConnection: Bool {
    switch self.kind {
    case .unreachable, .timedOut: true
    case .answered: false
    }
  }
}

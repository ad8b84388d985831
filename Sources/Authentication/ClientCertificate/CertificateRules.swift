/// Whose client certificates count on top of the listeners' trust, and which of their names is the user's.
public struct CertificateRules: Sendable, Hashable {
  public enum Username: Sendable, Hashable {
    case commonName, email, uri, dnsName
  }
  public enum Groups: Sendable, Hashable {
    case organizations, organizationalUnits, none
  }
  /// A value that stands in an extra attribute of the identity, or is its UID.
  public enum Value: Sendable, Hashable {
    case fingerprint, serial, issuer, subject
  }

  /// An authority that may issue certificates for users.
  public enum Issuer: Sendable, Hashable {
    /// SHA-256 over the authority's certificate, lower-case hexadecimal.
    case fingerprint(String)
    /// Its subject as RFC 4514 writes it.
    case subject(String)
  }

  public var username: Username
  public var groups: Groups
  /// `nil`: certificates give no UID.
  public var uid: Value?
  /// Keys in lower case, in their order.
  public var extra: [Extra]
  /// The authorities that may have signed the certificate itself; empty for all that are trusted.
  public var issuers: [Issuer]
  /// The policies of which a certificate must be issued under one, as OIDs; empty for any.
  public var policies: [String]

  public struct Extra: Sendable, Hashable {
    public let key: String
    public let value: Value

    public init(key: String, value: Value) {
      self.key = key
      self.value = value
    }
  }

  public init(
    username: Username = .commonName, groups: Groups = .organizations, uid: Value? = nil, extra: [Extra] = [], issuers: [Issuer] = [],
    policies: [String] = []
  ) {
    self.username = username
    self.groups = groups
    self.uid = uid
    self.extra = extra
    self.issuers = issuers
    self.policies = policies
  }
}

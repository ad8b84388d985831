public import struct Foundation.Date

/// What a certificate says: everything but the keys.
///
/// The factories make profiles as they should be. All fields can be changed, so that a test gets the certificate that a
/// verifier must refuse: expired, for another purpose, without `digitalSignature`, an authority in a leaf's place.
public struct CertificateProfile: Sendable, Hashable {
  /// What the key may be used for in TLS: the extended key usage (RFC 5280 section 4.2.1.12).
  public enum Purpose: Sendable, Hashable, CaseIterable {
    case serverAuthentication, clientAuthentication, codeSigning
  }

  /// What the key may be used for at all: the key usage (RFC 5280 section 4.2.1.3).
  public enum KeyUse: Sendable, Hashable, CaseIterable {
    case digitalSignature, keyEncipherment, certificateSigning, revocationListSigning
  }

  /// Whether the subject signs certificates (RFC 5280 section 4.2.1.9).
  public enum Role: Sendable, Hashable {
    case leaf
    /// - Parameter depth: the most authorities below this one, `nil` for any number
    case authority(depth: Int?)
  }

  public var commonName: String
  /// One `O` each, which is a group to Kubernetes.
  public var organizations: [String] = []
  public var dnsNames: [String] = []
  /// IPv4 and IPv6 addresses in text form.
  public var ipAddresses: [String] = []
  public var emailAddresses: [String] = []
  public var uris: [String] = []
  public var notBefore: Date
  public var notAfter: Date
  /// An empty set leaves the extension out, which means any purpose.
  public var purposes: Set<Purpose>
  /// An empty set leaves the extension out, which means any use.
  public var keyUses: Set<KeyUse>
  public var role: Role

  /// Clocks differ: a certificate is valid a minute before it is made.
  static let backdating: Double = 60

  private init(
    commonName: String, purposes: Set<Purpose>, keyUses: Set<KeyUse>, role: Role, lifetime: Duration, now: Date
  ) {
    self.commonName = commonName
    self.purposes = purposes
    self.keyUses = keyUses
    self.role = role
    self.notBefore = now.addingTimeInterval(-Self.backdating)
    self.notAfter = now.addingTimeInterval(Double(lifetime.components.seconds))
  }

  /// An authority's certificate.
  ///
  /// - Parameter depth: the most authorities below it; 0 signs leaves only
  public static func authority(
    _ commonName: String, depth: Int? = 0, lifetime: Duration = .seconds(3650 * 86400), now: Date = Date()
  ) -> CertificateProfile {
    CertificateProfile(
      commonName: commonName, purposes: [], keyUses: [.certificateSigning, .revocationListSigning], role: .authority(depth: depth),
      lifetime: lifetime, now: now)
  }

  /// A TLS server's certificate for the given host names and addresses; the first becomes the common name.
  ///
  /// - Parameters:
  ///   - names: host names (also `*.example.org`), IPv4 and IPv6 addresses, mixed
  ///   - lifetime: how long from now; 397 days at most is what browsers accept of a server
  public static func server(names: [String], lifetime: Duration = .seconds(397 * 86400), now: Date = Date()) -> CertificateProfile {
    var profile = CertificateProfile(
      commonName: names.first ?? "", purposes: [.serverAuthentication], keyUses: [.digitalSignature], role: .leaf, lifetime: lifetime,
      now: now)
    profile.ipAddresses = names.filter { IPAddressBytes($0) != nil }
    profile.dnsNames = names.filter { IPAddressBytes($0) == nil }
    return profile
  }

  /// A user's certificate: Kubernetes reads the common name as user name and each organisation as a group.
  /// See kubernetes/apiserver `authentication/request/x509`, `CommonNameUserConversion`.
  public static func client(
    _ username: String, groups: [String] = [], lifetime: Duration = .seconds(365 * 86400), now: Date = Date()
  ) -> CertificateProfile {
    var profile = CertificateProfile(
      commonName: username, purposes: [.clientAuthentication], keyUses: [.digitalSignature], role: .leaf, lifetime: lifetime, now: now)
    profile.organizations = groups
    return profile
  }

  /// The certificate by which an API server knows its authenticating proxy
  /// (`--requestheader-client-ca-file`, `--requestheader-allowed-names=front-proxy-client`).
  public static func frontProxy(lifetime: Duration = .seconds(365 * 86400), now: Date = Date()) -> CertificateProfile {
    .client("front-proxy-client", lifetime: lifetime, now: now)
  }
}

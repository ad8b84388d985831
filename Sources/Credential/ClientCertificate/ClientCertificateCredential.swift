import Crypto
import NIOCore
@_spi(Credential) public import SallyportCore
import SwiftASN1
import X509

import struct Foundation.Date

/// Tells an API server who makes a request by a client certificate that is made for this one user.
///
/// The server believes it by `--client-ca-file`: the common name is the user, each organisation a group, and
/// 1.3.6.1.4.1.57683.2 the UID (kubernetes/apiserver, authentication/request/x509). It has no place for extra attributes. The
/// certificate is part of the credential, so that a request travels on a connection of its user's alone.
///
/// A certificate is made once for each set of names and each end of what proved them, and used until shortly before it ends.
/// An impersonation goes along as `Impersonate-*` fields: the server judges it by the rights of the certificate's user.
public final class ClientCertificateCredential: Sendable {
  /// How certificates are made.
  public struct Rules: Sendable, Hashable {
    /// At most an hour, in seconds.
    public var lifetime: Double
    public var copies: CopyRules

    public init(lifetime: Double = 3600, copies: CopyRules = CopyRules()) {
      self.lifetime = min(lifetime, 3600)
      self.copies = copies
    }
  }

  /// Everything that a certificate says, and when it must end.
  private struct Key: Hashable, Sendable {
    let username: String
    let uid: String?
    let groups: [String]
    let proofEnds: Date?
    /// The fingerprint of the certificate that parts were copied from.
    let copiedFrom: String

    // By bytes: to Swift's own `==` two names are equal that differ in their Unicode normalisation, and to the server not.
    static func == (left: Self, right: Self) -> Bool {
      left.username.utf8.elementsEqual(right.username.utf8)
        && left.uid.map { Array($0.utf8) } == right.uid.map { Array($0.utf8) }
        && left.groups.count == right.groups.count && zip(left.groups, right.groups).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
        && left.proofEnds == right.proofEnds && left.copiedFrom == right.copiedFrom
    }
  }

  private static let kind = "clientCertificate"
  private static let uidType: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 57683, 2]
  /// Clocks differ: a certificate is valid this much before it is made, in seconds.
  private static let backdating = 60.0
  /// A certificate is made anew this long before it ends, in seconds, or at three quarters of its time where that is later.
  private static let margin = 300.0

  private let authority: MintingAuthority
  private let rules: Rules
  private let names: ReservedNames
  private let clock: CredentialClock
  private let key: LeafKey
  private let minted: MintedCredentials<Key>

  /// - Parameters:
  ///   - names: which reserved names may stand in a certificate
  ///   - capacity: the most certificates that are kept
  public init(
    authority: MintingAuthority, rules: Rules, names: ReservedNames, clock: CredentialClock = .system, capacity: Int = 8192
  ) {
    self.authority = authority
    self.rules = rules
    self.names = names
    self.clock = clock
    self.key = LeafKey(period: .hours(1))
    self.minted = MintedCredentials(capacity: capacity)
  }

  /// The certificate for one request; nothing for nobody.
  ///
  /// - Parameter certificate: what the client's connection showed
  /// - Throws: ``Problem``
  ///   - 400 for an impersonation that cannot be written, or that nobody asks for;
  ///   - 401 where what proved the identity ends this second;
  ///   - 403 for a name that no certificate can hold, or that is Kubernetes' own;
  ///   - 500 where the authority has ended.
  public func credential(
    for subject: Subject, impersonating impersonation: RequestedImpersonation?, certificate: VerifiedCertificate? = nil,
    memory: ConnectionMemory? = nil
  ) throws(Problem) -> UpstreamCredential {
    guard case .identity(let identity) = subject else { return try .nobody(impersonating: impersonation) }
    let now = self.clock.monotonic()
    let own: UpstreamCredential
    if let last = memory?.credential, last.holds(for: identity, by: self, at: now) {
      own = last.credential
    } else {
      let source = identity.method == .clientCertificate && !self.rules.copies.isEmpty ? certificate : nil
      let key = Key(
        username: identity.username, uid: identity.uid, groups: identity.groups, proofEnds: identity.proofEnds,
        copiedFrom: source?.fingerprint ?? "")
      own = try self.minted.credential(for: key, at: now) { () throws(Problem) in
        try self.mint(for: identity, copying: source, at: now)
      }
      memory?.credential = RememberedCredential(own, of: identity, by: self)
    }
    guard let impersonation else { return own }
    return UpstreamCredential(
      fieldLines: try impersonation.lines(behind: own.fieldLines), connection: own.connection, kind: own.kind,
      identifier: own.identifier, ends: own.ends, certificate: own.certificate)
  }

  private func mint(
    for identity: Identity, copying source: VerifiedCertificate?, at now: NIODeadline
  ) throws(Problem) -> UpstreamCredential {
    try self.names.check(identity)
    let wall = self.clock.wall()
    // Whole seconds, as a certificate has them, rounded to the safe side.
    func seconds(_ time: Date) -> Double { time.timeIntervalSince1970.rounded(.down) }
    let latest = seconds(wall) + self.rules.lifetime
    let proofEnds = identity.proofEnds.map(seconds)
    let ends = min(latest, proofEnds ?? latest, seconds(self.authority.ends))
    guard ends > wall.timeIntervalSince1970 + 1 else {
      if let proofEnds, proofEnds == ends { throw .proofEnds }
      throw .mintingFailed.with(detail: "the minting authority's certificate has ended; give it another one")
    }
    let key = self.key.key(at: now)
    let serial = Self.randomSerial()
    let leaf: [UInt8]
    do {
      let copy = try source.map { try self.rules.copies.copy(of: $0.der) } ?? CopyRules.Copy()
      let certificate = try self.authority.sign(
        try Self.subject(of: identity, copy.subject), alternativeNames: copy.alternativeNames, extensions: copy.extensions, serial: serial,
        publicKey: key.publicKey, from: Date(timeIntervalSince1970: seconds(wall) - Self.backdating),
        to: Date(timeIntervalSince1970: ends))
      var serializer = DER.Serializer()
      try serializer.serialize(certificate)
      leaf = serializer.serializedBytes
    } catch let problem as Problem {
      throw problem
    } catch {
      throw .mintingFailed.with(detail: "the certificate could not be made: \(error)")
    }
    let margin = ends == latest ? min(Self.margin, self.rules.lifetime / 4) : 1
    func deadline(_ seconds: Double) -> NIODeadline { self.clock.deadline(of: Date(timeIntervalSince1970: seconds), at: now, wall) }
    return UpstreamCredential(
      fieldLines: ByteBuffer(), connection: .init(certificateFingerprint: Self.hexadecimal(Array(SHA256.hash(data: leaf)))),
      kind: Self.kind, identifier: Self.hexadecimal(serial), ends: deadline(ends - margin),
      certificate: PresentedCertificate(chain: [leaf] + self.authority.chain, key: key.presented, ends: deadline(ends)))
  }

  private static func subject(of identity: Identity, _ copied: [RelativeDistinguishedName]) throws -> DistinguishedName {
    typealias Attribute = RelativeDistinguishedName.Attribute
    for name in [identity.username] + identity.groups + [identity.uid].compactMap({ $0 }) {
      guard !name.isEmpty, name.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
        throw Problem.identityNotWritable.with(detail: "a name for a certificate is empty or holds a control character")
      }
    }
    let own =
      identity.groups.map { Attribute(type: .RDNAttributeType.organizationName, utf8String: $0) }
      + [identity.uid].compactMap { $0 }.map { Attribute(type: self.uidType, utf8String: $0) }
      + [Attribute(type: .RDNAttributeType.commonName, utf8String: identity.username)]
    return DistinguishedName(copied + own.map { RelativeDistinguishedName($0) })
  }

  /// 128 random bits behind a one, so that the number is positive and always as long (RFC 5280 section 4.1.2.2).
  private static func randomSerial() -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return [1] + (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}

extension Problem {
  static let mintingFailed = Problem(
    "mintingFailed", blame: .operator, status: 500, message: "The gateway could not say to the upstream who you are.")
}

import NIOConcurrencyHelpers
import NIOCore
import NIOSSL
import SwiftASN1
import X509

import struct Foundation.Date

/// What a connection's client certificate proves.
struct PeerTrust: Sendable {
  /// The certificate chains to the request-header CA and has an allowed name: its `X-Remote-*` fields are believed.
  var isFrontProxy = false
  /// Who the certificate itself stands for, where it chains to the client CA: common name and organisations.
  var certificateUser: UserInfo?
  /// The end of the leaf's validity; judged again for every request, as the API server does.
  var notAfter = Date.distantFuture

  static let nobody = PeerTrust()
}

/// Verifies client certificates against the two roots of trust that kube-apiserver has: the request-header CA
/// (`--requestheader-client-ca-file`) and the client CA (`--client-ca-file`).
///
/// As there, the handshake admits any certificate and an untrusted one merely proves nothing. A resumed session shows its
/// leaf without being verified again, so results are kept by leaf.
final class PeerVerifier: Sendable {
  private struct Cache {
    var results: [[UInt8]: PeerTrust] = [:]
    var order: [[UInt8]] = []
  }

  private static let cacheLimit = 10_000
  private let requestHeaderRoots: [Certificate]
  private let clientRoots: [Certificate]
  private let allowedNames: [String]
  private let cache = NIOLockedValueBox(Cache())

  /// - Parameter allowedNames: the common names that may act as a front proxy; empty allows every one, as in Kubernetes
  init(requestHeaderRoots: [Certificate], clientRoots: [Certificate], allowedNames: [String]) {
    self.requestHeaderRoots = requestHeaderRoots
    self.clientRoots = clientRoots
    self.allowedNames = allowedNames
  }

  /// What is known of a connection's leaf; nothing for one that was never verified here.
  func trust(of leaf: NIOSSLCertificate) -> PeerTrust {
    guard let der = try? leaf.toDERBytes() else { return .nobody }
    return self.cache.withLockedValue { $0.results[der] } ?? .nobody
  }

  /// Verifies a presented chain, the leaf first, and remembers the result.
  func verify(_ presented: [NIOSSLCertificate]) async {
    guard let ders = try? presented.map({ try $0.toDERBytes() }), let leafDER = ders.first,
      let chain = try? ders.map({ try Certificate(derEncoded: $0) }), let leaf = chain.first
    else { return }
    let trust = await self.trust(leaf: leaf, intermediates: Array(chain.dropFirst()))
    self.cache.withLockedValue { cache in
      if cache.results.updateValue(trust, forKey: leafDER) == nil { cache.order.append(leafDER) }
      if cache.order.count > Self.cacheLimit { cache.results[cache.order.removeFirst()] = nil }
    }
  }

  private func trust(leaf: Certificate, intermediates: [Certificate]) async -> PeerTrust {
    var trust = PeerTrust()
    trust.notAfter = leaf.notValidAfter
    guard Self.allowsClientAuthentication(leaf) else { return trust }
    let names = Self.values(of: .RDNAttributeType.commonName, in: leaf.subject)
    if await Self.chains(leaf, through: intermediates, to: self.requestHeaderRoots) {
      trust.isFrontProxy = self.allowedNames.isEmpty || names.contains { self.allowedNames.contains($0) }
    }
    if let name = names.first, !name.isEmpty, await Self.chains(leaf, through: intermediates, to: self.clientRoots) {
      let groups = Self.values(of: .RDNAttributeType.organizationName, in: leaf.subject)
      let uids = Self.values(of: [1, 3, 6, 1, 4, 1, 57683, 2], in: leaf.subject)
      trust.certificateUser = UserInfo(name: name, uid: uids.count == 1 ? uids[0] : "", groups: groups)
    }
    return trust
  }

  private static func chains(_ leaf: Certificate, through intermediates: [Certificate], to roots: [Certificate]) async -> Bool {
    guard !roots.isEmpty else { return false }
    var verifier = Verifier(rootCertificates: CertificateStore(roots)) { RFC5280Policy() }
    let result = await verifier.validate(leaf: leaf, intermediates: CertificateStore(intermediates))
    if case .validCertificate = result { return true }
    return false
  }

  /// Without the extension every use is allowed, as in Go's `x509.Verify`.
  private static func allowsClientAuthentication(_ leaf: Certificate) -> Bool {
    guard let usage = try? leaf.extensions.extendedKeyUsage else { return leaf.extensions[oid: .X509ExtensionID.extendedKeyUsage] == nil }
    return usage.contains(.clientAuth) || usage.contains(.any)
  }

  private static func values(of type: ASN1ObjectIdentifier, in name: DistinguishedName) -> [String] {
    name.flatMap { $0 }.filter { $0.type == type }.compactMap { String($0.value) }
  }
}

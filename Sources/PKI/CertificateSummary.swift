import Crypto
public import Foundation
import SwiftASN1
import X509

/// What `sallyport pki show` tells of a certificate.
public struct CertificateSummary: Sendable, Equatable, Encodable {
  /// As RFC 4514 writes it.
  public let subject: String
  public let issuer: String
  /// The subject's common name, a user's name; the last where there are several.
  public let commonName: String?
  /// Lower-case hexadecimal.
  public let serial: String
  public let notBefore: Date
  public let notAfter: Date
  public let isAuthority: Bool
  /// `serverAuth`, `clientAuth`, or an object identifier; empty for any purpose.
  public let purposes: [String]
  /// `DNS:…`, `IP:…`, `email:…`, `URI:…`.
  public let alternativeNames: [String]
  /// SHA-256 over the DER, lower-case hexadecimal, as it stands in the audit record.
  public let fingerprint: String

  /// Every certificate of a PEM file; keys among them are passed over.
  public static func read(pem text: String) throws(PKIError) -> [CertificateSummary] {
    guard let documents = try? PEMDocument.parseMultiple(pemString: text) else { throw PKIError("the file is not PEM") }
    let found = documents.filter { $0.discriminator == Certificate.defaultPEMDiscriminator }
    guard !found.isEmpty else { throw PKIError("the file holds no certificate") }
    var summaries: [CertificateSummary] = []
    for document in found {
      guard let certificate = try? Certificate(derEncoded: document.derBytes) else { throw PKIError("the file holds a broken certificate") }
      summaries.append(CertificateSummary(certificate, der: document.derBytes))
    }
    return summaries
  }

  /// Every certificate of a PEM file on disk.
  public static func read(file: String) throws(PKIError) -> [CertificateSummary] {
    guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { throw PKIError("cannot read \(file)") }
    do throws(PKIError) {
      return try self.read(pem: text)
    } catch {
      throw PKIError("\(file): \(error)")
    }
  }

  /// The certificates as a JSON array, dates as RFC 3339 writes them.
  public static func json(_ certificates: [CertificateSummary]) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    return String(decoding: try encoder.encode(certificates), as: UTF8.self)
  }

  init(_ certificate: Certificate, der: [UInt8]) {
    self.subject = certificate.subject.description
    self.issuer = certificate.issuer.description
    let attributes = certificate.subject.flatMap { Array($0) }
    self.commonName = attributes.last { $0.type == .RDNAttributeType.commonName }.flatMap { String($0.value) }
    self.serial = hexadecimal(certificate.serialNumber.bytes)
    self.notBefore = certificate.notValidBefore
    self.notAfter = certificate.notValidAfter
    self.isAuthority = if case .isCertificateAuthority = try? certificate.extensions.basicConstraints { true } else { false }
    let usages = (try? certificate.extensions.extendedKeyUsage).map { Array($0) } ?? []
    self.purposes = usages.map { $0 == .serverAuth ? "serverAuth" : $0 == .clientAuth ? "clientAuth" : "\($0)" }
    let names = (try? certificate.extensions.subjectAlternativeNames).map { Array($0) } ?? []
    self.alternativeNames = names.map { name in
      switch name {
      case .dnsName(let text): "DNS:\(text)"
      case .ipAddress(let octets): "IP:\(IPAddressBytes.text(of: octets.bytes) ?? hexadecimal(octets.bytes))"
      case .rfc822Name(let text): "email:\(text)"
      case .uniformResourceIdentifier(let text): "URI:\(text)"
      default: "other"
      }
    }
    self.fingerprint = hexadecimal(SHA256.hash(data: der))
  }

  /// Several lines for people.
  public func text(now: Date = Date()) -> String {
    let state = now > self.notAfter ? " (expired)" : now < self.notBefore ? " (not yet valid)" : ""
    var lines = [
      "subject      \(self.subject)",
      "issuer       \(self.issuer)",
      "serial       \(self.serial)",
      "valid        \(self.notBefore.ISO8601Format()) to \(self.notAfter.ISO8601Format())\(state)",
      "use          \(self.isAuthority ? "signs certificates" : self.purposes.isEmpty ? "any" : self.purposes.joined(separator: ", "))",
    ]
    if !self.alternativeNames.isEmpty { lines.append("names        \(self.alternativeNames.joined(separator: ", "))") }
    lines.append("fingerprint  \(self.fingerprint)")
    // Text in a certificate is a stranger's: a terminal must not obey it.
    return lines.map { line in
      String(String.UnicodeScalarView(line.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }))
    }.joined(separator: "\n")
  }
}

func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  bytes.reduce(into: "") { text, byte in
    text += byte < 16 ? "0" : ""
    text += String(byte, radix: 16)
  }
}

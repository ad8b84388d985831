import Crypto
import SwiftASN1
import X509

/// What of a user's own certificate goes into the one that is made for the upstream.
///
/// Never what an identity is made of (common name, organisations, the UID), nor an extension that says what a certificate may
/// be used for: those are the gateway's to say.
public struct CopyRules: Sendable, Hashable {
  /// A part of the subject (RFC 4519).
  public enum SubjectPart: String, Sendable, Hashable, CaseIterable {
    case organizationalUnit, country, locality, stateOrProvince, serialNumber, emailAddress, domainComponent, userID

    var type: ASN1ObjectIdentifier {
      switch self {
      case .organizationalUnit: [2, 5, 4, 11]
      case .country: [2, 5, 4, 6]
      case .locality: [2, 5, 4, 7]
      case .stateOrProvince: [2, 5, 4, 8]
      case .serialNumber: [2, 5, 4, 5]
      case .emailAddress: [1, 2, 840, 113549, 1, 9, 1]
      case .domainComponent: [0, 9, 2342, 19_200_300, 100, 1, 25]
      case .userID: [0, 9, 2342, 19_200_300, 100, 1, 1]
      }
    }
  }

  /// A kind of subject alternative name (RFC 5280 section 4.2.1.6).
  public enum AlternativeName: String, Sendable, Hashable, CaseIterable {
    case email, uri, dns
  }

  public var subject: [SubjectPart]
  public var alternativeNames: [AlternativeName]
  /// Object identifiers, as in `1.3.6.1.4.1.99999.1`.
  public var extensions: [String]

  public init(subject: [SubjectPart] = [], alternativeNames: [AlternativeName] = [], extensions: [String] = []) {
    self.subject = subject
    self.alternativeNames = alternativeNames
    self.extensions = extensions
  }

  public var isEmpty: Bool { self.subject.isEmpty && self.alternativeNames.isEmpty && self.extensions.isEmpty }

  /// Whether an extension may be copied: not one that the standards give a meaning in a chain (`id-ce`, `id-pe`), and
  /// something that is an object identifier at all.
  public static func mayCopy(extension identifier: String) -> Bool {
    guard (try? ASN1ObjectIdentifier(dotRepresentation: identifier)) != nil else { return false }
    return !["2.5.29", "1.3.6.1.5.5.7.1"].contains { identifier == $0 || identifier.hasPrefix($0 + ".") }
  }

  /// What the rules take of a certificate.
  struct Copy {
    var subject: [RelativeDistinguishedName] = []
    var alternativeNames: [GeneralName] = []
    var extensions: [Certificate.Extension] = []
  }

  /// - Parameter der: a certificate that was verified
  func copy(of der: [UInt8]) throws -> Copy {
    let certificate = try Certificate(derEncoded: der)
    var copy = Copy()
    let types = Set(self.subject.map(\.type))
    copy.subject = certificate.subject.flatMap { $0 }.filter { types.contains($0.type) }.map { RelativeDistinguishedName($0) }
    copy.alternativeNames = (try certificate.extensions.subjectAlternativeNames ?? SubjectAlternativeNames([])).filter { name in
      switch name {
      case .rfc822Name: self.alternativeNames.contains(.email)
      case .uniformResourceIdentifier: self.alternativeNames.contains(.uri)
      case .dnsName: self.alternativeNames.contains(.dns)
      default: false
      }
    }
    for identifier in self.extensions {
      guard let found = certificate.extensions[oid: try ASN1ObjectIdentifier(dotRepresentation: identifier)] else { continue }
      // What is critical here a verifier there may not know, and would have to refuse.
      copy.extensions.append(.init(oid: found.oid, critical: false, value: found.value))
    }
    return copy
  }
}

import SallyportStrictYAML

extension GatewayConfiguration.Authentication.ClientCertificates {
  /// A fact of a certificate.
  public enum CertificateValue: String, Sendable, CaseIterable {
    /// SHA-256 over the certificate, lower-case hexadecimal.
    case fingerprint
    /// Lower-case hexadecimal.
    case serial
    /// As RFC 4514 writes a name.
    case issuer, subject
  }

  public struct Extra: Sendable, Hashable {
    public let key: String
    public let value: CertificateValue
  }

  /// An authority, by what is known of it.
  public enum CertificateIssuer: Sendable, Hashable {
    /// SHA-256 over its certificate, lower-case hexadecimal without colons.
    case fingerprint(String)
    /// Its subject as RFC 4514 writes it.
    case subject(String)
  }

  /// How it is known that a certificate was revoked.
  public struct Revocation: Sendable, Equatable {
    /// Lists, PEM or DER, one or several a file.
    public let crlFiles: [NamedFile]
  }
}

extension GatewayConfiguration.Authentication.ClientCertificates {
  init(_ yaml: YAMLCursor) {
    self.init()
    _ = yaml.mapping { keys in
      if let username = keys.optional("username")?.choice(of: Username.self) { self.username = username }
      if let groups = keys.optional("groups")?.choice(of: Groups.self) { self.groups = groups }
      self.uid = keys.optional("uid")?.choice(of: CertificateValue.self)
      self.extra = keys.optional("extra").map(Self.extra) ?? []
      self.issuers = keys.optional("issuers")?.list(atLeast: 1) { $0.parsed(CertificateIssuer.init(parsing:)) } ?? []
      self.policies = keys.optional("policies")?.list(atLeast: 1) { $0.parsed(Self.policy) } ?? []
      self.revocation = keys.optional("revocation").flatMap(Revocation.init)
      return ()
    }
  }

  private static func extra(_ yaml: YAMLCursor) -> [Extra] {
    let read = yaml.dictionary { key, value -> CertificateValue? in
      // Kubernetes takes lower-case keys only, most often with a domain: example.org/fingerprint.
      let isKey = !key.isEmpty && key.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !($0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z")) }
      guard isKey, key.utf8.count <= 128 else {
        value.fault("is no key of an extra attribute", "write lower-case ASCII, as in example.org/fingerprint")
        return nil
      }
      return value.choice(of: CertificateValue.self)
    }
    return (read ?? []).map { Extra(key: $0.key, value: $0.value) }
  }

  /// An object identifier in dotted form.
  private static func policy(_ text: String) throws(ValueFault) -> String {
    let fault = ValueFault("is no object identifier", "write it with dots, as in 1.3.6.1.4.1.99999.1")
    let arcs = text.split(separator: ".", omittingEmptySubsequences: false)
    guard arcs.count >= 2, arcs.allSatisfy({ arc in UInt64(arc).map { String($0) == arc } ?? false }) else { throw fault }
    guard text != "2.5.29.32.0" else {
      throw ValueFault("is anyPolicy, which no certificate is asked for", "leave `policies` out to accept any")
    }
    return text
  }
}

extension GatewayConfiguration.Authentication.ClientCertificates.CertificateIssuer {
  /// Reads a fingerprint, with colons or without, or a subject.
  init(parsing text: String) throws(ValueFault) {
    let digits = text.replacing(":", with: "").lowercased()
    let isHexadecimal = digits.utf8.allSatisfy {
      ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")) || ($0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "f"))
    }
    if isHexadecimal, digits.utf8.count == 64 {
      self = .fingerprint(digits)
    } else if text.contains("="), !text.hasPrefix("/"), !text.contains(", "), !text.contains(" = ") {
      self = .subject(text)
    } else {
      throw ValueFault(
        "is neither a SHA-256 fingerprint nor a subject",
        "write 64 hexadecimal digits, or the subject as `openssl x509 -noout -subject -nameopt RFC2253` prints it, as in CN=Users,O=Example"
      )
    }
  }
}

extension GatewayConfiguration.Authentication.ClientCertificates.Revocation {
  private enum OCSP: String, CaseIterable { case off, soft, hard }

  init?(_ yaml: YAMLCursor) {
    let files: [NamedFile]? = yaml.mapping { keys in
      let files = keys.required("crlFiles")?.list(atLeast: 1) { $0.file() }
      if let ocsp = keys.optional("ocsp"), let mode = ocsp.choice(of: OCSP.self), mode != .off {
        ocsp.fault("is `\(mode.rawValue)`, and OCSP is not supported in this version", "write off, and name revocation lists in crlFiles")
      }
      return files
    }
    guard let files else { return nil }
    self.init(crlFiles: files)
  }
}

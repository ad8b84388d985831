import Foundation
public import SallyportPKI

/// The revocation lists of an authority, made by `openssl ca` as people make them.
///
/// ```swift
/// let lists = try OpenSSLAuthority(pki.clientAuthority)
/// try await lists.revoke(alice)
/// let pem = try await lists.list()
/// ```
public final class OpenSSLAuthority: Sendable {
  public let directory = TemporaryDirectory()

  /// - Parameter authority: who signs the lists; what its own certificate says does not matter
  public init(_ authority: CertificateAuthority) throws {
    try self.directory.write(authority.certificatePEM, to: "ca.pem")
    try self.directory.write(authority.privateKeyPEM, to: "ca.key")
    try self.directory.write("", to: "index.txt")
    try self.directory.write("1000\n", to: "crlnumber")
    try self.directory.write(
      """
      [ca]
      default_ca = house
      [house]
      database = \(self.directory.path)/index.txt
      crlnumber = \(self.directory.path)/crlnumber
      certificate = \(self.directory.path)/ca.pem
      private_key = \(self.directory.path)/ca.key
      default_md = sha256
      unique_subject = no
      [plain]
      authorityKeyIdentifier = keyid
      [delta]
      2.5.29.27 = critical, DER:020103
      [indirect]
      issuingDistributionPoint = critical, @indirectPoint
      [indirectPoint]
      indirectCRL = TRUE
      [partial]
      issuingDistributionPoint = critical, @partialPoint
      [partialPoint]
      onlyuser = TRUE
      [unknown]
      1.2.3.4 = critical, DER:0500

      """, to: "ca.cnf")
  }

  /// Writes down that a certificate is revoked; the next list says so.
  public func revoke(_ certificate: TestCertificate) async throws { try await self.revoke(pem: certificate.issued.certificatePEM) }

  public func revoke(pem: String) async throws {
    try self.directory.write(pem, to: "revoked.pem")
    try await self.openssl("ca", "-config", self.directory.file("ca.cnf"), "-revoke", self.directory.file("revoked.pem"))
  }

  /// Takes down that many serial numbers at once, 1 and up with 16 bytes each.
  public func revoke(count: Int) throws {
    let lines = (1...count).map { number in
      let serial = "01" + String(repeating: "0", count: 22) + String(format: "%08X", number)
      return "R\t401231235959Z\t260101000000Z\t\(serial)\tunknown\t/CN=user-\(number)\n"
    }
    try self.directory.write(lines.joined(), to: "index.txt")
  }

  /// A list with everything that was revoked so far, PEM.
  ///
  /// - Parameters:
  ///   - extensions: `plain`, or one that makes the list unfit: `delta`, `indirect`, `partial`, `unknown`
  ///   - issued: in seconds from now
  ///   - lasting: in seconds from the issue
  public func list(
    extensions: String = "plain", issued: Double = -10, lasting: Double = 3600, digest: String = "sha256"
  ) async throws -> String {
    let begin = Date(timeIntervalSinceNow: issued)
    try await self.openssl(
      "ca", "-config", self.directory.file("ca.cnf"), "-gencrl", "-crlexts", extensions, "-md", digest, "-out",
      self.directory.file("list.pem"), "-crl_lastupdate", Self.time(begin), "-crl_nextupdate", Self.time(begin.addingTimeInterval(lasting)))
    return try self.directory.read("list.pem")
  }

  private static func time(_ date: Date) -> String {
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.timeZone = TimeZone(secondsFromGMT: 0)
    format.dateFormat = "yyyyMMddHHmmss'Z'"
    return format.string(from: date)
  }

  private func openssl(_ arguments: String...) async throws {
    let result = try await run("openssl", arguments)
    guard result.status == 0 else { throw ToolFailure("openssl \(arguments.joined(separator: " ")): \(result.transcript)") }
  }
}

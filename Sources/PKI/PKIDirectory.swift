public import Foundation
import X509

/// A directory of certificates as `sallyport pki` keeps it, named as the configuration's examples name them.
///
/// Three authorities, because they answer three questions and none may answer another's: who is a server, who is a user,
/// who may speak for all users.
///
/// | files | |
/// |---|---|
/// | `server-ca.pem`, `.key` | signs the gateway's certificate; clients trust it |
/// | `client-ca.pem`, `.key` | signs users; the gateway trusts it |
/// | `front-proxy-ca.pem`, `.key` | signs the gateway as front proxy; the API server trusts it |
/// | `server.pem`, `.key` | the gateway |
/// | `front-proxy.pem`, `.key` | the gateway as the API server sees it |
/// | `NAME.pem`, `.key`, `.p12` | a user |
public struct PKIDirectory: Sendable {
  /// The three authorities.
  public enum Authority: String, Sendable, CaseIterable {
    case server = "server-ca"
    case client = "client-ca"
    case frontProxy = "front-proxy-ca"

    fileprivate var commonName: String {
      switch self {
      case .server: "Sallyport Server CA"
      case .client: "Sallyport Client CA"
      case .frontProxy: "Sallyport Front Proxy CA"
      }
    }
  }

  public let path: String
  /// Whether files that exist are replaced.
  public let force: Bool

  public init(_ path: String, force: Bool = false) {
    self.path = path
    self.force = force
  }

  /// Makes the three authorities and the front proxy's certificate.
  ///
  /// - Returns: the files that were written
  /// - Throws: ``PKIError``; where one of the files exists and is not to be replaced, nothing is written
  @discardableResult
  public func initialize(now: Date = Date()) throws(PKIError) -> [String] {
    try OutputFile.makeDirectory(self.path)
    try self.refuseToReplace(Authority.allCases.map(\.rawValue) + ["front-proxy"])
    var written: [String] = []
    for name in Authority.allCases {
      let authority = try CertificateAuthority(.authority(name.commonName, now: now))
      written += try self.write(name.rawValue, certificate: authority.certificatePEM, privateKey: authority.privateKeyPEM)
      if name == .frontProxy {
        let proxy = try authority.issue(.frontProxy(lifetime: .seconds(Self.yearSeconds), now: now))
        written += try self.write("front-proxy", certificate: proxy.chainPEM, privateKey: proxy.privateKeyPEM)
      }
    }
    return written
  }

  /// Makes the gateway's own certificate, `server.pem`.
  ///
  /// - Parameters:
  ///   - names: host names and addresses; at least one
  ///   - fileName: the files' name without its ending
  @discardableResult
  public func issueServer(
    names: [String], days: Int = 397, fileName: String = "server", now: Date = Date()
  ) throws(PKIError) -> [String] {
    guard !names.isEmpty else { throw PKIError("a server's certificate needs a name or an address") }
    if fileName != "server" { try self.checkFileName(fileName) }
    try self.refuseToReplace([fileName])
    let authority = try self.read(.server)
    let issued = try authority.issue(authority.limited(.server(names: names, lifetime: .seconds(days * 86400), now: now)))
    return try self.write(fileName, certificate: issued.chainPEM, privateKey: issued.privateKeyPEM)
  }

  /// Makes a user's certificate.
  ///
  /// - Parameters:
  ///   - username: becomes the common name
  ///   - groups: become organisations
  ///   - fileName: the files' name without its ending; the user's name unless given
  ///   - password: of the .p12 file
  @discardableResult
  public func issueClient(
    _ username: String, groups: [String] = [], days: Int = 365, fileName: String? = nil, password: String, now: Date = Date()
  ) throws(PKIError) -> [String] {
    let fileName = fileName ?? username
    try self.checkFileName(fileName)
    try self.refuseToReplace([fileName])
    let authority = try self.read(.client)
    let issued = try authority.issue(authority.limited(.client(username, groups: groups, lifetime: .seconds(days * 86400), now: now)))
    let bundle = try PKCS12.encode(issued, friendlyName: username, password: password)
    let written = try self.write(fileName, certificate: issued.chainPEM, privateKey: issued.privateKeyPEM)
    try OutputFile.write(bundle, to: self.file("\(fileName).p12"), access: .owner, replacing: self.force)
    return written + [self.file("\(fileName).p12")]
  }

  /// One of the authorities, as it lies in the directory.
  public func read(_ authority: Authority) throws(PKIError) -> CertificateAuthority {
    try CertificateAuthority(
      certificatePEM: self.content("\(authority.rawValue).pem"), privateKeyPEM: self.content("\(authority.rawValue).key"))
  }

  public func file(_ name: String) -> String { "\(self.path)/\(name)" }

  private static let yearSeconds = 365 * 86400
  /// The names that are taken by the authorities and the gateway.
  private static let reserved = Set(Authority.allCases.map(\.rawValue) + ["front-proxy", "server"])

  private func content(_ name: String) throws(PKIError) -> String {
    guard let text = try? String(contentsOfFile: self.file(name), encoding: .utf8) else {
      throw PKIError("cannot read \(self.file(name)); `sallyport pki init` makes the authorities")
    }
    return text
  }

  /// A user name such as `../server` or `client-ca` must not choose which file is written.
  private func checkFileName(_ name: String) throws(PKIError) {
    let isPlain = name.unicodeScalars.allSatisfy {
      $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil) || "-_.@".unicodeScalars.contains($0)
    }
    guard isPlain, !name.isEmpty, !name.hasPrefix("."), !name.hasPrefix("-"), name.utf8.count <= 100 else {
      throw PKIError("the name cannot be a file's name; choose one of letters, digits, `-`, `_`, `.` and `@` with --file")
    }
    guard !Self.reserved.contains(name) else {
      throw PKIError("`\(name)` is the name of the directory's own files; choose another with --file")
    }
  }

  private func refuseToReplace(_ names: [String]) throws(PKIError) {
    guard !self.force else { return }
    for file in names.flatMap({ ["\($0).pem", "\($0).key", "\($0).p12"] }) where access(self.file(file), F_OK) == 0 {
      throw PKIError("\(self.file(file)) exists; use --force to replace it")
    }
  }

  private func write(_ name: String, certificate: String, privateKey: String) throws(PKIError) -> [String] {
    // The key first: a certificate without its key is of less use than the other way round, and neither is half-written.
    try OutputFile.write(privateKey.utf8, to: self.file("\(name).key"), access: .owner, replacing: self.force)
    try OutputFile.write(certificate.utf8, to: self.file("\(name).pem"), access: .everybody, replacing: self.force)
    return [self.file("\(name).pem"), self.file("\(name).key")]
  }
}

extension CertificateAuthority {
  /// The profile, ending no later than the authority does: a chain is valid only as long as all of it.
  func limited(_ profile: CertificateProfile) -> CertificateProfile {
    var profile = profile
    profile.notAfter = min(profile.notAfter, self.certificate.notValidAfter)
    return profile
  }
}

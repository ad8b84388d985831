import Crypto
import Foundation
import NIOCore
import NIOSSL
import SallyportAuthentication
import SallyportConfiguration
import SallyportCore
import SallyportRedis
import SallyportSessions
import SallyportStrictYAML

extension SharedSessions {
  /// How many keys a key file may have: the one in use, and those before it.
  private static let mostKeys = 8

  /// Reads what the configuration names.
  ///
  /// - Throws: ``StartFault`` for a file or a variable that is not there or holds something else
  init(_ section: GatewayConfiguration.Authentication.Session.Shared) throws(StartFault) {
    let keyText = try Self.text(section.keyFile)
    let roots = try Self.roots(keyText, section.keyFile)
    var redis = RedisConfiguration(host: section.url.host, port: section.url.port, username: section.username)
    redis.database = section.url.database
    redis.timeout = TimeAmount(section.timeout)
    let authority = try section.caFile.map { file throws(StartFault) in try Self.text(file) }
    if section.url.usesTLS { redis.tls = try Self.context(authority, section) }
    let password = try section.password.map { source throws(StartFault) in try source.read() }
    redis.password = password
    let digest = SHA256.hash(
      data: Data(
        [section.url.description, section.username ?? "", authority ?? "", keyText, "\(section.timeout)"].joined(separator: "\0").utf8)
        + (password?.withBytes { Data($0) } ?? Data()))
    self.init(keys: SessionKeys(root: roots[0], earlier: Array(roots.dropFirst())), redis: redis, fingerprint: Array(digest))
  }

  /// A key a line, in base64; the first is in use.
  private static func roots(_ text: String, _ file: NamedFile) throws(StartFault) -> [SymmetricKey] {
    let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    let keys = lines.compactMap { Data(base64Encoded: $0) }.filter { $0.count == 32 }
    guard !keys.isEmpty, keys.count == lines.count, keys.count <= Self.mostKeys, Set(keys).count == keys.count else {
      throw self.fault(
        file, "which does not hold keys for sessions",
        "write 1 to \(Self.mostKeys) lines of `openssl rand -base64 32`, the one in use first")
    }
    return keys.map { SymmetricKey(data: $0) }
  }

  private static func context(_ authority: String?, _ section: GatewayConfiguration.Authentication.Session.Shared) throws(StartFault)
    -> NIOSSLContext
  {
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.minimumTLSVersion = .tlsv12
    do {
      if let authority { tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(authority.utf8))) }
      return try NIOSSLContext(configuration: tls)
    } catch {
      throw self.fault(
        section.caFile ?? section.keyFile, "which holds no certificates", "name a PEM file with the authority of the server's certificate")
    }
  }

  private static func text(_ file: NamedFile) throws(StartFault) -> String {
    guard let data = FileManager.default.contents(atPath: file.path), let text = String(validating: data, as: UTF8.self) else {
      throw self.fault(file, "which cannot be read", "name a file of text that this user can read")
    }
    return text
  }

  private static func fault(_ file: NamedFile, _ what: String, _ remedy: String) -> StartFault {
    StartFault(FileFaults([FileFault(at: file.place, "names \(file.path), \(what)", remedy)]))
  }
}

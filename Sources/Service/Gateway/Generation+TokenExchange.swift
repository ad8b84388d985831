import SallyportAuthentication
import SallyportConfiguration
import SallyportCredential
import SallyportIssuer
import SallyportStrictYAML

import class Foundation.FileManager

extension GatewayConfiguration {
  /// Who may get tokens at the token endpoint; `nil` where nobody may.
  ///
  /// - Throws: every fault of the files with secrets
  func tokenExchange(_ memory: AuthenticationMemory) throws(StartFault) -> TokenExchange? {
    guard let section = self.issuer?.tokenExchange else { return nil }
    var faults = FaultCollector()
    var secrets: [AuthenticatorConfiguration.PasswordSource] = []
    for client in section.clients {
      guard case .secret(let file) = client.authentication else { continue }
      let read = faults.collect { () throws(StartFault) in try Self.secret(of: client, file) }
      if let read { secrets.append(.file(read)) }
    }
    guard faults.isEmpty else { throw faults.fault }
    let names = self.authentication.allowSystemNames
    let throttle = self.authentication.throttle
    var settings = AuthenticatorConfiguration(
      passwords: secrets, cache: .init(lifetime: self.authentication.cacheLifetime),
      throttle: .init(failures: throttle.failures, per: throttle.per, lockout: throttle.lockout))
    settings.holders = .clients
    return TokenExchange(
      clients: Dictionary(section.clients.map { ($0.id, TokenClient($0)) }) { first, _ in first },
      secrets: Authenticator(configuration: settings, memory: memory),
      names: ReservedNames(allowed: names.users.union(names.groups)))
  }

  /// A client's secret as the password of a user of its name, so that it is hashed, counted and remembered as one.
  private static func secret(of client: Issuer.Client, _ file: NamedFile) throws(StartFault) -> PasswordFile {
    func fault(_ problem: String, _ remedy: String) -> StartFault {
      StartFault([FileFault(at: file.place, "names \(file.path), which \(problem)", remedy).description])
    }
    guard let data = FileManager.default.contents(atPath: file.path), let text = String(validating: data, as: UTF8.self) else {
      throw fault("cannot be read", "name a file that holds what `sallyport password` prints")
    }
    let line = text.hasSuffix("\r\n") ? text.dropLast() : text.hasSuffix("\n") ? text.dropLast() : text[...]
    guard !line.isEmpty, !line.contains(where: \.isNewline) else {
      throw fault("holds no hash", "write what `sallyport password` prints as the only line of the file")
    }
    do throws(FileFaults) {
      return try PasswordFile(content: Array("\(client.id):\(line)\n".utf8), name: "client secrets")
    } catch {
      // The place there is one of a text that nobody has written.
      let first = error.faults.first
      throw fault("holds no hash that can be used: \(first?.problem ?? "")", first?.remedy ?? "")
    }
  }
}

extension TokenClient {
  fileprivate init(_ client: GatewayConfiguration.Issuer.Client) {
    let authentication: Authentication =
      switch client.authentication {
      case .public(let signIn):
        .none(.init(password: signIn.contains(.password), clientCertificate: signIn.contains(.clientCertificate)))
      case .secret: .secret
      case .certificate(let user): .certificate(username: user)
      }
    self.init(id: client.id, authentication: authentication, audiences: client.audiences, scopes: client.scopes)
  }
}

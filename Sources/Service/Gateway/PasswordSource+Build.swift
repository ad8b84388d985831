import Foundation
import Logging
import NIOCore
import SallyportAuthentication
import SallyportAuthenticationLDAP
import SallyportAuthenticationPAM
import SallyportConfiguration
import SallyportCore
import SallyportStrictYAML

extension AuthenticatorConfiguration.PasswordSource {
  /// Makes what the configuration describes; reads its files and asks no server.
  init(_ store: GatewayConfiguration.Authentication.PasswordStore, allowSystemNames: Set<String>, logger: Logger) throws(StartFault) {
    switch store {
    case .passwordFile(let file):
      do throws(FileFaults) {
        self = .file(try PasswordFile(file: file.path, allowSystemNames: allowSystemNames))
      } catch {
        throw StartFault(error)
      }
    case .ldap(let ldap): self = .store(LDAPStore(try ldap.settings(), logger: logger))
    case .pam(let pam): self = .store(PAMStore(try pam.settings(), logger: logger))
    }
  }
}

extension GatewayConfiguration.Authentication.LDAP {
  /// Where systems keep the authorities that everybody trusts.
  private static let systemAuthorities = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"]

  func settings() throws(StartFault) -> LDAPConfiguration {
    LDAPConfiguration(
      servers: self.urls.map { .init(scheme: $0.scheme == .ldaps ? .ldaps : .ldap, host: $0.host, port: $0.port) },
      encryption: try self.encryption(), serviceAccount: try self.account(),
      users: .init(
        place: self.users.place.settings, username: self.users.username, uid: self.users.uid,
        extra: self.users.extra.map { .init(key: $0.key, attribute: $0.attribute) }, enabled: self.users.enabledFilter),
      groups: self.groups.map { groups in
        .init(
          source: groups.source.settings, name: groups.name, isNested: groups.nested, depth: groups.depth, limit: groups.limit)
      },
      timeout: TimeAmount(self.timeout), connections: self.connections, waiting: self.waiting)
  }

  private func encryption() throws(StartFault) -> LDAPConfiguration.Encryption {
    if self.insecurePlaintext { return .insecurePlaintext }
    if let file = self.caFile { return .tls(caFile: file.path) }
    guard let file = Self.systemAuthorities.first(where: FileManager.default.isReadableFile) else {
      throw StartFault(["ldap: this system has no list of authorities; set caFile"])
    }
    return .tls(caFile: file)
  }

  private func account() throws(StartFault) -> LDAPConfiguration.ServiceAccount? {
    guard let account = self.serviceAccount else { return nil }
    return LDAPConfiguration.ServiceAccount(name: account.name, password: try account.password.read())
  }
}

extension GatewayConfiguration.Authentication.LDAP.Scope {
  fileprivate var settings: LDAPConfiguration.Scope { self == .one ? .one : .subtree }
}

extension GatewayConfiguration.Authentication.LDAP.UserPlace {
  fileprivate var settings: LDAPConfiguration.UserPlace {
    switch self {
    case .search(let base, let scope, let filter): .search(base: base, scope: scope.settings, filter: filter)
    case .template(let template, let filter): .template(template, filter: filter)
    }
  }
}

extension GatewayConfiguration.Authentication.LDAP.GroupSource {
  fileprivate var settings: LDAPConfiguration.Groups.Source {
    switch self {
    case .search(let base, let scope, let filter): .search(base: base, scope: scope.settings, filter: filter)
    case .memberOf(let attribute): .memberOf(attribute)
    }
  }
}

extension SecretSource {
  /// Reads the secret now.
  func read() throws(StartFault) -> Secret {
    switch self {
    case .environment(let name):
      guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else {
        throw StartFault(["the environment has no \(name), which the configuration names for a secret"])
      }
      return Secret(value.utf8)
    case .file(let file):
      guard var bytes = FileManager.default.contents(atPath: file.path).map({ Array($0) }) else {
        throw Self.fault(file, "cannot be read", "check that it is there and that this process may read it")
      }
      if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
      if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
      guard !bytes.isEmpty, !bytes.contains(0) else {
        throw Self.fault(file, "holds no password", "write it as the only line")
      }
      return Secret(bytes)
    }
  }

  private static func fault(_ file: NamedFile, _ problem: String, _ remedy: String) -> StartFault {
    StartFault(FileFaults([FileFault(at: file.place, "names \(file.path), which \(problem)", remedy)]))
  }
}

extension GatewayConfiguration.Authentication.PAM {
  /// Where libpam looks for a service's file, the first of these that has it.
  private static let systemDirectories = ["/etc/pam.d", "/usr/lib/pam.d"]

  /// A service without a file is a fault: PAM would take the service `other`, on Debian the machine's own accounts.
  func settings() throws(StartFault) -> PAMConfiguration {
    let directories = self.serviceDirectory.map { [$0.path] } ?? Self.systemDirectories
    guard directories.contains(where: { FileManager.default.isReadableFile(atPath: "\($0)/\(self.service)") }) else {
      throw StartFault(
        FileFaults([
          FileFault(
            at: self.place, "names a PAM service without a file", "write \(directories[0])/\(self.service), or name another service")
        ]))
    }
    return PAMConfiguration(
      service: self.service, serviceDirectory: self.serviceDirectory?.path, groups: self.groups == .system ? .system : .none,
      threads: self.threads, waiting: self.waiting, timeout: self.timeout)
  }
}

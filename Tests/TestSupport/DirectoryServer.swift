import Foundation
import Glibc
import SallyportPKI

/// An OpenLDAP server of a test's own: its configuration, database and certificate in a temporary folder, on loopback, and
/// gone with the object.
public final class DirectoryServer: Sendable {
  public static let suffix = "dc=example,dc=org"
  public static let administrator = "cn=admin,dc=example,dc=org"
  /// The account that the gateway looks entries up with.
  public static let service = "cn=sallyport,dc=example,dc=org"
  public static let servicePassword = "service-password-7"
  private static let administratorPassword = "administrator-password-7"

  private let directory = TemporaryDirectory()
  private let process: RunningTool
  /// Of `ldap`, with StartTLS.
  public let port: Int
  /// Of `ldaps`.
  public let tlsPort: Int
  /// The authority that signed the server's certificate, for `localhost`, `127.0.0.1` and `::1`.
  public let caFile: String

  /// Starts a server with the entries of ``DirectoryEntries/base`` and others.
  ///
  /// - Parameters:
  ///   - certificate: another than the test's own
  ///   - port: to begin again where another server was
  public init(
    pki: TestPKI, certificate: TestCertificate? = nil, entries: String = DirectoryEntries.base, ports: (plain: Int, tls: Int)? = nil
  ) async throws {
    let certificate = certificate ?? pki.server
    self.caFile = try self.directory.write(pki.serverAuthority.certificatePEM, to: "ca.pem")
    try self.directory.write(certificate.chainPEM, to: "server.pem")
    try self.directory.write(certificate.privateKeyPEM, to: "server.key")
    try self.directory.write("", to: "db/.keep")
    try self.directory.write(Self.configuration(in: self.directory), to: "slapd.conf")
    self.port = try ports?.plain ?? LoopbackPort.free()
    self.tlsPort = try ports?.tls ?? LoopbackPort.free()
    self.process = try RunningTool(
      "/usr/sbin/slapd",
      [
        "-d", "0", "-f", self.directory.file("slapd.conf"), "-h", "ldap://127.0.0.1:\(self.port) ldaps://127.0.0.1:\(self.tlsPort)",
      ])
    try await self.waitUntilReady()
    try await self.add(entries)
  }

  // MARK: Life

  public func signal(_ signal: Int32) { self.process.signal(signal) }

  /// Ends the server. What is connected to it loses its connection.
  public func stop() async throws {
    self.process.signal(SIGCONT)
    self.process.signal(SIGKILL)
    _ = try await self.process.result(seconds: 30)
  }

  private func waitUntilReady() async throws {
    let end = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < end {
      guard self.process.isRunning else { throw ToolFailure("slapd ended early: \(self.process.output)\(self.process.errors)") }
      let probe = try await run("ldapsearch", ["-x", "-H", self.url, "-s", "base", "-b", "", "-LLL", "1.1"])
      if probe.status == 0 { return }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw ToolFailure("slapd did not answer: \(self.process.errors)")
  }

  // MARK: Content

  public var url: String { "ldap://127.0.0.1:\(self.port)" }
  public var tlsURL: String { "ldaps://127.0.0.1:\(self.tlsPort)" }

  /// Adds entries (LDIF).
  public func add(_ entries: String) async throws { try await self.change("ldapadd", entries, []) }

  /// Changes entries (LDIF with `changetype`).
  public func modify(_ changes: String) async throws { try await self.change("ldapmodify", changes, ["-e", "relax"]) }

  private func change(_ tool: String, _ content: String, _ options: [String]) async throws {
    let arguments = ["-x", "-H", self.url, "-D", Self.administrator, "-w", Self.administratorPassword]
    let result = try await run(tool, arguments + options, input: Data(content.utf8))
    guard result.status == 0 else { throw ToolFailure("\(tool): \(result.transcript)") }
  }

  /// What the directory itself says of an entry, as the administrator reads it.
  public func read(_ name: String, _ attributes: String...) async throws -> String {
    let arguments = ["-x", "-H", self.url, "-D", Self.administrator, "-w", Self.administratorPassword, "-LLL", "-s", "base", "-b", name]
    return try await run("ldapsearch", arguments + attributes).output
  }

  private static func configuration(in directory: TemporaryDirectory) -> String {
    """
    include /etc/ldap/schema/core.schema
    include /etc/ldap/schema/cosine.schema
    include /etc/ldap/schema/inetorgperson.schema
    include /etc/ldap/schema/nis.schema
    modulepath /usr/lib/ldap
    moduleload back_mdb
    moduleload memberof
    moduleload ppolicy
    pidfile \(directory.file("slapd.pid"))
    argsfile \(directory.file("slapd.args"))
    TLSCertificateFile \(directory.file("server.pem"))
    TLSCertificateKeyFile \(directory.file("server.key"))
    TLSVerifyClient never
    threads 4
    database mdb
    maxsize 67108864
    suffix "\(self.suffix)"
    rootdn "\(self.administrator)"
    rootpw \(self.administratorPassword)
    directory \(directory.file("db"))
    dbnosync
    index objectClass,uid,mail,member,uniqueMember,memberUid eq
    overlay memberof
    memberof-refint true
    overlay ppolicy
    ppolicy_use_lockout
    ppolicy_default "cn=default,ou=policies,\(self.suffix)"
    access to attrs=userPassword by anonymous auth by * none
    access to * by dn.exact="\(self.service)" read by self read by anonymous auth by * none

    """
  }
}

/// The people and groups of a test's directory.
public enum DirectoryEntries {
  /// Everybody's password here is their user name and this.
  public static let passwordSuffix = "-password-9"

  /// Entries above everything, and the gateway's own account. Locking is off until a test turns it on.
  public static let root = """
    dn: dc=example,dc=org
    objectClass: dcObject
    objectClass: organization
    o: Example
    dc: example

    dn: cn=sallyport,dc=example,dc=org
    objectClass: organizationalRole
    objectClass: simpleSecurityObject
    cn: sallyport
    userPassword: \(DirectoryServer.servicePassword)

    dn: ou=policies,dc=example,dc=org
    objectClass: organizationalUnit
    ou: policies

    dn: cn=default,ou=policies,dc=example,dc=org
    objectClass: device
    objectClass: pwdPolicy
    cn: default
    pwdAttribute: userPassword
    pwdLockout: FALSE
    pwdMaxFailure: 6
    pwdFailureCountInterval: 3600
    pwdMustChange: TRUE

    dn: ou=people,dc=example,dc=org
    objectClass: organizationalUnit
    ou: people

    dn: ou=groups,dc=example,dc=org
    objectClass: organizationalUnit
    ou: groups


    """

  public static let base =
    Self.root
    + [
      Self.person("alice", "mail: alice@example.org", "departmentNumber: research", "employeeNumber: 1001"),
      Self.person("bob", "mail: bob@example.org"), Self.person("carol", "employeeType: inactive"), Self.person("dave"),
      Self.person("edit"),
    ].joined()
    + [
      Self.group("developers", members: ["uid=alice,ou=people"]), Self.group("staff", members: ["cn=developers,ou=groups"]),
      Self.group("everybody", members: ["cn=staff,ou=groups", "uid=bob,ou=people"]),
    ].joined() + """
      dn: cn=posix,ou=groups,dc=example,dc=org
      objectClass: posixGroup
      cn: posix
      gidNumber: 5000
      memberUid: alice

      dn: cn=unique,ou=groups,dc=example,dc=org
      objectClass: groupOfUniqueNames
      cn: unique
      uniqueMember: uid=bob,ou=people,dc=example,dc=org


      """

  public static func person(_ name: String, _ lines: String...) -> String {
    """
    dn: uid=\(name),ou=people,dc=example,dc=org
    objectClass: inetOrgPerson
    uid: \(name)
    cn: \(name)
    sn: \(name)
    userPassword: \(name)\(self.passwordSuffix)
    \(lines.map { $0 + "\n" }.joined())

    """
  }

  /// A `groupOfNames`; the members' names stand without the suffix.
  public static func group(_ name: String, members: [String]) -> String {
    """
    dn: cn=\(name),ou=groups,dc=example,dc=org
    objectClass: groupOfNames
    cn: \(name)
    \(members.map { "member: \($0),\(DirectoryServer.suffix)\n" }.joined())

    """
  }

  public static func password(of name: String) -> String { name + self.passwordSuffix }
}

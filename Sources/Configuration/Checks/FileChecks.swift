import Foundation
public import SallyportStrictYAML

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

extension GatewayConfiguration {
  /// What a named file is for.
  public enum FileUse: Sendable, Hashable {
    case certificates, revocationLists, privateKey, passwords, authenticationConfiguration, openAPI, auditDirectory, auditPolicy,
      signingKeys, token, errorPage, logo
  }

  /// Every file and directory that the configuration names, in the order of the sections.
  public var namedFiles: [(file: NamedFile, use: FileUse)] {
    var files: [(file: NamedFile, use: FileUse)] = []
    for listener in self.listeners {
      files.append((listener.tls.certificateFile, .certificates))
      files.append((listener.tls.privateKeyFile, .privateKey))
      if let authorities = listener.tls.clientCAFile { files.append((authorities, .certificates)) }
    }
    files += (self.authentication.clientCertificates?.revocation?.crlFiles ?? []).map { ($0, .revocationLists) }
    for store in self.authentication.passwords {
      switch store {
      case .passwordFile(let file): files.append((file, .passwords))
      case .ldap(let ldap):
        if let authorities = ldap.caFile { files.append((authorities, .certificates)) }
        if case .file(let file)? = ldap.serviceAccount?.password { files.append((file, .passwords)) }
      case .pam: break
      }
    }
    for source in self.authentication.tokens {
      switch source {
      case .authenticationConfiguration(let file): files.append((file, .authenticationConfiguration))
      case .tokenReview: break
      case .introspection(let introspection):
        files.append(Self.file(of: introspection.clientAuthentication))
        if let file = introspection.certificateAuthorityFile { files.append((file, .certificates)) }
      case .jwt(let jwt): if case .file(let file)? = jwt.certificateAuthority { files.append((file, .certificates)) }
      }
    }
    for provider in self.authentication.signIn?.oidc ?? [] {
      if let client = provider.clientAuthentication { files.append(Self.file(of: client)) }
      if let file = provider.certificateAuthorityFile { files.append((file, .certificates)) }
    }
    if let logo = self.authentication.signIn?.logoFile { files.append((logo, .logo)) }
    if let shared = self.authentication.signIn?.session.shared {
      files.append((shared.keyFile, .passwords))
      if let authorities = shared.caFile { files.append((authorities, .certificates)) }
      if case .file(let file)? = shared.password { files.append((file, .passwords)) }
    }
    if let directory = self.issuer?.signingKeysDirectory { files.append((directory, .signingKeys)) }
    for client in self.issuer?.tokenExchange?.clients ?? [] {
      if case .secret(let file) = client.authentication { files.append((file, .passwords)) }
    }
    for credential in self.credentials {
      switch credential.kind {
      case .requestHeaders(let certificate, let privateKey): files += [(certificate, .certificates), (privateKey, .privateKey)]
      case .clientCertificate(let minting):
        files += [(minting.caCertificateFile, .certificates), (minting.caPrivateKeyFile, .privateKey)]
      case .impersonation(.token(let file)): files.append((file, .token))
      case .impersonation(.certificate(let certificate, let privateKey)):
        files += [(certificate, .certificates), (privateKey, .privateKey)]
      case .idToken, .phantomToken, .passthrough, .nothing: break
      }
    }
    files += self.upstreams.compactMap(\.caFile).map { ($0, .certificates) }
    for case .file(let file)? in self.upstreams.map(\.openapi) { files.append((file, .openAPI)) }
    files += (self.routes.flatMap(\.errorPages) + self.errorPages).map { ($0.file, .errorPage) }
    files.append((self.audit.directory, .auditDirectory))
    if let policyFile = self.audit.policyFile { files.append((policyFile, .auditPolicy)) }
    return files
  }

  private static func file(of client: Authentication.Introspection.ClientAuthentication) -> (file: NamedFile, use: FileUse) {
    switch client {
    case .basic(let file), .post(let file): (file, .passwords)
    case .privateKeyJWT(let file, _, _): (file, .privateKey)
    }
  }

  /// Looks at the files that the configuration names: whether they are there, can be read, and whether everybody can read
  /// what is secret. What is in them is for those to judge who use them.
  ///
  /// - Returns: faults and warnings in the order of the configuration file
  public func checkFiles() -> [FileFault] {
    FileFaults(
      self.namedFiles.compactMap { file, use in
        switch use {
        case .auditDirectory: Self.checkDirectory(file)
        case .signingKeys: Self.checkReadableDirectory(file)
        default: Self.checkFile(file, use)
        }
      } + [self.control.flatMap { Self.checkSocket($0.socket) }].compactMap(\.self)
    ).faults
  }

  /// The gateway makes the socket's directory, but not the one above. What else lies there is seen when the socket is opened.
  private static func checkSocket(_ socket: NamedFile) -> FileFault? {
    let directory = URL(fileURLWithPath: socket.path).deletingLastPathComponent().path
    var status = stat()
    guard stat(directory, &status) == 0 else {
      let above = URL(fileURLWithPath: directory).deletingLastPathComponent().path
      if FileManager.default.isWritableFile(atPath: above) { return nil }
      return FileFault(
        at: socket.place, "names \(socket.path), whose directory is missing and cannot be made", "mkdir -m 0700 \(directory)")
    }
    guard status.st_mode & 0o077 != 0 else { return nil }
    return FileFault(at: socket.place, "names \(socket.path), whose directory others can enter", "chmod 0700 \(directory)")
  }

  private static func checkReadableDirectory(_ directory: NamedFile) -> FileFault? {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: directory.path, isDirectory: &isDirectory), isDirectory.boolValue else {
      return FileFault(
        at: directory.place, "names \(directory.path), which is no directory",
        "make it with `sallyport keys rotate --directory \(directory.path)`")
    }
    guard access(directory.path, R_OK | X_OK) == 0 else {
      return FileFault(at: directory.place, "names \(directory.path), which cannot be read", FileProblem(errno: errno).remedy)
    }
    return nil
  }

  private static func checkFile(_ file: NamedFile, _ use: FileUse) -> FileFault? {
    // Links are followed: a file of a Kubernetes secret is a link to a link.
    var status = stat()
    guard stat(file.path, &status) == 0 else {
      return FileFault(at: file.place, "names \(file.path), which cannot be read", FileProblem(errno: errno).remedy)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      return FileFault(at: file.place, "names \(file.path), which is no file", "name a file")
    }
    guard access(file.path, R_OK) == 0 else {
      return FileFault(at: file.place, "names \(file.path), which cannot be read", FileProblem(errno: errno).remedy)
    }
    guard status.st_size > 0 else {
      return FileFault(at: file.place, "names \(file.path), which is empty", "name a file with content")
    }
    guard use == .privateKey || use == .passwords, status.st_mode & S_IROTH != 0 else { return nil }
    return FileFault(.warning, at: file.place, "names \(file.path), which every user can read", "chmod o= \(file.path)")
  }

  /// The audit writer makes its directory, but not the one above.
  private static func checkDirectory(_ directory: NamedFile) -> FileFault? {
    var isDirectory: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: directory.path, isDirectory: &isDirectory)
    guard !exists || isDirectory.boolValue else {
      return FileFault(at: directory.place, "names \(directory.path), which is no directory", "name a directory")
    }
    let writable = exists ? directory.path : URL(fileURLWithPath: directory.path).deletingLastPathComponent().path
    guard FileManager.default.isWritableFile(atPath: writable) else {
      return FileFault(
        at: directory.place, "names \(directory.path), where nothing can be written", "make \(writable) writable for this user")
    }
    return nil
  }
}

/// What to do about a file that cannot be opened.
struct FileProblem {
  let remedy: String

  init(errno code: Int32) {
    switch code {
    case ENOENT, ENOTDIR: self.remedy = "there is no such file: check the path"
    case EACCES, EPERM: self.remedy = "this user may not: change its owner or permissions"
    default: self.remedy = "name a file that this user can read"
    }
  }

  init(_ error: any Error) {
    switch (error as? CocoaError)?.code {
    case .fileReadNoSuchFile, .fileNoSuchFile: self.init(errno: ENOENT)
    case .fileReadNoPermission: self.init(errno: EACCES)
    default: self.init(errno: EIO)
    }
  }
}

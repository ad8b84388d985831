import Crypto
import SallyportConfiguration
import SallyportCore
import SallyportCredential
import SallyportIssuer
import SallyportStrictYAML
import SallyportUpstream

import struct Foundation.Data
import struct Foundation.Date
import class Foundation.FileManager

/// A credential of the configuration: what writes it, and the certificate that its connections present.
struct NamedCredential: Sendable {
  let source: CredentialSource
  let certificate: UpstreamConfiguration.ClientCertificate?
  /// What it was made of. One that would be made of the same goes on over a reload, with what it has made.
  fileprivate let origin: Origin

  fileprivate struct Origin: Equatable {
    let credential: GatewayConfiguration.Credential
    let names: Set<String>
    /// What signs, where something does.
    let issuer: ObjectIdentifier?
    /// SHA-256 of each file; `nil` for one that cannot be read, which its reader complains of.
    let files: [[UInt8]?]
  }
}

extension GatewayConfiguration {
  /// Everything that the configuration says of credentials, read and joined.
  struct Credentials: Sendable {
    var issuer: SallyportIssuer.Issuer?
    var named: [String: NamedCredential] = [:]
  }

  /// Reads the issuer's keys and the credentials' files.
  ///
  /// - Parameters:
  ///   - names: the credentials that are wanted; `nil` for all
  ///   - previous: those of before; what is made of the same goes on
  func readCredentials(
    _ names: Set<String>? = nil, keeping previous: Credentials? = nil, _ faults: inout FaultCollector
  ) -> Credentials {
    var credentials = Credentials()
    let issuerSection = self.issuer
    credentials.issuer =
      faults.collect { () throws(StartFault) in
        try issuerSection.map { section throws(StartFault) in
          try Self.issuer(section, keeping: previous?.issuer)
        }
      } ?? nil
    let allowed = self.authentication.allowSystemNames
    let reserved = allowed.users.union(allowed.groups)
    for section in self.credentials where names?.contains(section.name) ?? true {
      let issuer = credentials.issuer
      credentials.named[section.name] =
        faults.collect { () throws(StartFault) in
          try Self.credential(section, issuer: issuer, reserved: reserved, keeping: previous?.named[section.name])
        } ?? nil
    }
    return credentials
  }

  private static func issuer(_ section: Issuer, keeping previous: SallyportIssuer.Issuer?) throws(StartFault) -> SallyportIssuer.Issuer {
    let longest = Double(section.longestTokenLifetime.components.seconds)
    do throws(IssuerFault) {
      let issuer = SallyportIssuer.Issuer(
        url: section.url, keys: try KeyDirectory(section.signingKeysDirectory.path).ring(tokenLifetime: longest),
        tokenLifetime: Double(section.tokenLifetime.components.seconds),
        clientTokenLifetime: section.tokenExchange.map { Double($0.tokenLifetime.components.seconds) })
      if let previous, previous.isSame(as: issuer) { return previous }
      return issuer
    } catch {
      let place = section.signingKeysDirectory.place
      throw StartFault(["\(place.file):\(place.line):\(place.column): \(place.keyPath): names \(error)"])
    }
  }

  /// - Returns: `nil` for a token where the issuer has faults of its own
  private static func credential(
    _ section: Credential, issuer: SallyportIssuer.Issuer?, reserved: Set<String>, keeping previous: NamedCredential?
  ) throws(StartFault) -> NamedCredential? {
    let origin = NamedCredential.Origin(
      credential: section, names: reserved, issuer: section.kind.needsIssuer ? issuer.map(ObjectIdentifier.init) : nil,
      files: section.files.map { file in FileManager.default.contents(atPath: file.path).map { Array(SHA256.hash(data: $0)) } })
    if let previous, previous.origin == origin {
      if case .impersonation(let source) = previous.source, case .token(let token) = source.proof { try Self.refresh(token, section) }
      return previous
    }
    let names = ReservedNames(allowed: reserved)
    var certificate: UpstreamConfiguration.ClientCertificate?
    let source: CredentialSource
    switch section.kind {
    case .requestHeaders(let certificateFile, let privateKeyFile):
      let presented = try Self.presented(certificateFile, privateKeyFile)
      certificate = presented
      source = .requestHeaders(RequestHeaderCredential(certificateFingerprint: presented.identity.certificateFingerprint))
    case .idToken(let audience):
      guard let issuer else { return nil }
      source = .idToken(IDTokenCredential(issuer: issuer, audience: audience, names: names))
    case .clientCertificate(let minting):
      source = .clientCertificate(
        ClientCertificateCredential(
          authority: try Self.authority(minting), rules: ClientCertificateCredential.Rules(minting), names: names))
    case .impersonation(.token(let file)):
      source = .impersonation(ImpersonationCredential(proof: .token(try Self.ownToken(file)), names: names))
    case .impersonation(.certificate(let certificateFile, let privateKeyFile)):
      let presented = try Self.presented(certificateFile, privateKeyFile)
      certificate = presented
      source = .impersonation(
        ImpersonationCredential(proof: .certificate(fingerprint: presented.identity.certificateFingerprint), names: names))
    case .phantomToken(let audience):
      guard let audience else {
        source = .phantomToken(PhantomTokenCredential(minted: nil))
        break
      }
      guard let issuer else { return nil }
      source = .phantomToken(PhantomTokenCredential(minted: IDTokenCredential(issuer: issuer, audience: audience, names: names)))
    case .passthrough: source = .passthrough(PassthroughCredential())
    case .nothing: source = .none(NoCredential())
    }
    return NamedCredential(source: source, certificate: certificate, origin: origin)
  }

  private static func presented(
    _ certificateFile: NamedFile, _ privateKeyFile: NamedFile
  ) throws(StartFault) -> UpstreamConfiguration.ClientCertificate {
    do throws(Problem) {
      return try UpstreamConfiguration.ClientCertificate(certificateFile: certificateFile.path, privateKeyFile: privateKeyFile.path)
    } catch {
      throw StartFault(error)
    }
  }

  private static func refresh(_ token: OwnToken, _ section: Credential) throws(StartFault) {
    guard case .impersonation(.token(let file)) = section.kind else { return }
    do throws(OwnToken.Fault) {
      try token.refresh()
    } catch {
      throw Self.fault(file, error)
    }
  }

  private static func fault(_ file: NamedFile, _ fault: OwnToken.Fault) -> StartFault {
    StartFault([
      FileFault(at: file.place, "names \(file.path), which \(fault)", "name the file of a service account's token").description
    ])
  }

  private static func ownToken(_ file: NamedFile) throws(StartFault) -> OwnToken {
    do throws(OwnToken.Fault) {
      return try OwnToken(file: file.path)
    } catch {
      throw Self.fault(file, error)
    }
  }

  private static func authority(_ minting: Credential.ClientCertificate) throws(StartFault) -> MintingAuthority {
    let file = minting.caCertificateFile
    func text(_ file: NamedFile) throws(StartFault) -> String {
      guard let data = FileManager.default.contents(atPath: file.path), let text = String(validating: data, as: UTF8.self) else {
        throw StartFault([FileFault(at: file.place, "names \(file.path), which cannot be read", "name a PEM file").description])
      }
      return text
    }
    let certificates = try text(file)
    let privateKey = try text(minting.caPrivateKeyFile)
    do throws(MintingAuthority.Fault) {
      return try MintingAuthority(certificates: certificates, privateKey: privateKey, at: Date())
    } catch {
      throw StartFault([
        FileFault(
          at: file.place, "names \(file.path), which \(error)",
          "name the certificate and key of an authority that the upstream trusts for its clients"
        ).description
      ])
    }
  }
}

extension GatewayConfiguration.Credential {
  fileprivate var files: [NamedFile] {
    switch self.kind {
    case .requestHeaders(let certificate, let privateKey): [certificate, privateKey]
    case .clientCertificate(let minting): [minting.caCertificateFile, minting.caPrivateKeyFile]
    case .impersonation(.certificate(let certificate, let privateKey)): [certificate, privateKey]
    // A token that changes is read by whoever uses it.
    case .impersonation(.token), .idToken, .phantomToken, .passthrough, .nothing: []
    }
  }
}

extension GatewayConfiguration.Credential.Kind {
  fileprivate var needsIssuer: Bool {
    switch self {
    case .idToken: true
    case .phantomToken(let audience): audience != nil
    case .requestHeaders, .clientCertificate, .impersonation, .passthrough, .nothing: false
    }
  }
}

extension ClientCertificateCredential.Rules {
  fileprivate init(_ minting: GatewayConfiguration.Credential.ClientCertificate) {
    self.init(
      lifetime: Double(minting.lifetime.components.seconds),
      copies: CopyRules(
        subject: minting.copySubject.compactMap { CopyRules.SubjectPart(rawValue: $0.rawValue) },
        alternativeNames: minting.copyAlternativeNames.compactMap { CopyRules.AlternativeName(rawValue: $0.rawValue) },
        extensions: minting.copyExtensions))
  }
}

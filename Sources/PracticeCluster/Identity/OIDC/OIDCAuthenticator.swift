import AsyncHTTPClient
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

import struct Foundation.Date

/// Believes id_tokens as kube-apiserver does (kubernetes/apiserver, plugin/pkg/authenticator/token/oidc): the issuer's keys are
/// fetched over HTTPS, and fetched anew when a token names one that is not known.
final class OIDCAuthenticator: Sendable {
  private struct Known: Sendable {
    let issuer: PracticeCluster.TokenIssuer
    var keys: [IDToken.PublicKey]?
  }

  private let known = NIOLockedValueBox<[Known]>([])

  func believe(_ issuers: [PracticeCluster.TokenIssuer]) {
    self.known.withLockedValue { known in known = issuers.map { Known(issuer: $0, keys: nil) } }
  }

  /// Fetches the keys of the token's issuer where the token names one that is not known.
  ///
  /// - Returns: `nil` where there is nothing to wait for
  func prepare(for token: String, on eventLoop: any EventLoop) -> EventLoopFuture<Void>? {
    guard let token = IDToken(token), let (index, known) = self.issuer(of: token) else { return nil }
    if let keys = known.keys, keys.contains(where: { token.keyID == nil || $0.id == token.keyID }) { return nil }
    return eventLoop.makeFutureWithTask {
      guard let keys = try? await Self.fetch(known.issuer) else { return }
      self.known.withLockedValue { all in
        if all.indices.contains(index), all[index].issuer.url == known.issuer.url { all[index].keys = keys }
      }
    }
  }

  /// Whom a token names; `nil` for one that is not believed.
  func user(of text: String, at now: Date = Date()) -> UserInfo? {
    guard let token = IDToken(text), let (_, known) = self.issuer(of: token) else { return nil }
    let issuer = known.issuer
    let candidates = (known.keys ?? []).filter { token.keyID == nil || $0.id == token.keyID }
    guard issuer.algorithms.contains(token.algorithm), candidates.contains(where: { token.isSigned(by: $0) }) else { return nil }
    let audiences = token.claims["aud"]?.string.map { [$0] } ?? token.claims["aud"]?.array?.compactMap(\.string) ?? []
    guard audiences.contains(where: issuer.audiences.contains) else { return nil }
    // No leeway for the end, five minutes for the beginning: go-oidc's `Verify`.
    guard let expires = Self.time(token.claims["exp"]), now.timeIntervalSince1970 < expires else { return nil }
    if let begins = Self.time(token.claims["nbf"]), now.timeIntervalSince1970 + 300 < begins { return nil }
    guard token.claims["sub"]?.string?.isEmpty == false, let name = token.claims[issuer.usernameClaim]?.string, !name.isEmpty else {
      return nil
    }
    let claim = token.claims[issuer.groupsClaim]
    return UserInfo(name: name, groups: claim?.string.map { [$0] } ?? claim?.array?.compactMap(\.string) ?? [])
  }

  private func issuer(of token: IDToken) -> (index: Int, Known)? {
    let url = token.claims["iss"]?.string
    return self.known.withLockedValue { known in
      known.firstIndex { $0.issuer.url.utf8.elementsEqual((url ?? "").utf8) }.map { ($0, known[$0]) }
    }
  }

  private static func time(_ value: JSON?) -> Double? {
    switch value {
    case .integer(let seconds): Double(seconds)
    case .number(let seconds): seconds
    default: nil
    }
  }

  // MARK: - Keys

  private struct NoKeys: Error {}

  private static let client: HTTPClient = {
    var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow, timeout: .init(connect: .seconds(5), read: .seconds(10)))
    configuration.httpVersion = .http1Only
    configuration.connectionPool.idleTimeout = .seconds(1)
    return HTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton, configuration: configuration)
  }()

  private static func fetch(_ issuer: PracticeCluster.TokenIssuer) async throws -> [IDToken.PublicKey] {
    let discovery = try await self.document("\(issuer.url)/.well-known/openid-configuration", issuer)
    guard discovery["issuer"]?.string == issuer.url, let address = discovery["jwks_uri"]?.string else { throw NoKeys() }
    return (try await self.document(address, issuer)["keys"]?.array ?? []).compactMap { IDToken.PublicKey($0) }
  }

  private static func document(_ address: String, _ issuer: PracticeCluster.TokenIssuer) async throws -> JSON {
    guard address.hasPrefix("https://") else { throw NoKeys() }
    var request = HTTPClientRequest(url: address)
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(issuer.certificateAuthority.utf8)))
    request.tlsConfiguration = tls
    let response = try await Self.client.execute(request, timeout: .seconds(10))
    guard response.status == .ok else { throw NoKeys() }
    return try JSONReader.read(Array(buffer: try await response.body.collect(upTo: 1024 * 1024)))
  }
}

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import SallyportJOSE
import SallyportJSON

/// Fetches an issuer's keys over HTTPS: the discovery document, which must name the issuer itself, and the key set that it
/// leads to (OpenID Connect Discovery 1.0 sections 4.2 and 4.3).
///
/// The provider's answers are bounded in size and time, redirects are not followed (nothing in the standard asks for them,
/// and they lead to whomever the sender names), and what is no JSON is not read.
struct ProviderFetcher: KeySetFetcher {
  /// The most bytes of a document.
  static let mostBytes = 1024 * 1024

  let issuer: String
  let discoveryURL: String
  let insecurePlaintext: Bool
  /// For both documents together.
  let timeLimit: Duration
  private let tls: TLSConfiguration

  /// - Throws: ``KeySetFetchFault`` for authorities that are no PEM
  init(issuer: String, provider: TokenIssuer.Provider, timeLimit: Duration = .seconds(10)) throws(KeySetFetchFault) {
    self.issuer = issuer
    self.discoveryURL = provider.discoveryURL ?? Self.wellKnown(issuer)
    self.insecurePlaintext = provider.insecurePlaintext
    self.timeLimit = timeLimit
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.minimumTLSVersion = .tlsv12
    if let authority = provider.certificateAuthority {
      guard let roots = try? NIOSSLCertificate.fromPEMBytes(Array(authority.utf8)), !roots.isEmpty else {
        throw KeySetFetchFault("the certificate authority is no PEM certificate")
      }
      tls.trustRoots = .certificates(roots)
    }
    self.tls = tls
  }

  private static func wellKnown(_ issuer: String) -> String {
    (issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer) + "/.well-known/openid-configuration"
  }

  /// One for the process: its connections are few and short, and a client of its own for each issuer would have to be shut
  /// down by whoever lets go of the last generation.
  private static let client: HTTPClient = {
    var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow, timeout: .init(connect: .seconds(5), read: .seconds(10)))
    configuration.httpVersion = .http1Only
    configuration.connectionPool.idleTimeout = .seconds(1)
    return HTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton, configuration: configuration)
  }()

  func fetch() async throws(KeySetFetchFault) -> KeySet {
    let result = await withTaskGroup(of: Result<KeySet, KeySetFetchFault>.self) { group in
      group.addTask {
        do throws(KeySetFetchFault) {
          return .success(try await self.fetchBoth())
        } catch {
          return .failure(error)
        }
      }
      group.addTask {
        try? await Task.sleep(for: self.timeLimit)
        return .failure(KeySetFetchFault("the provider did not answer within \(self.timeLimit)"))
      }
      let first = await group.next()
      group.cancelAll()
      return first ?? .failure(KeySetFetchFault("the fetch was cancelled"))
    }
    return try result.get()
  }

  private func fetchBoth() async throws(KeySetFetchFault) -> KeySet {
    let discovery = try await self.document(at: self.discoveryURL, "the discovery document")
    guard let issuer = discovery["issuer"]?.string, issuer.utf8.elementsEqual(self.issuer.utf8) else {
      throw KeySetFetchFault("the discovery document is another issuer's: its `issuer` is not the configured URL")
    }
    guard let address = discovery["jwks_uri"]?.string else { throw KeySetFetchFault("the discovery document has no jwks_uri") }
    let document = try await self.document(at: address, "the key set")
    do throws(KeySet.Fault) {
      return try KeySet(document)
    } catch {
      throw KeySetFetchFault("the key set cannot be used: \(error)")
    }
  }

  private func document(at address: String, _ name: String) async throws(KeySetFetchFault) -> JSONValue {
    guard self.mayFetch(address) else { throw KeySetFetchFault("\(name) is not at an https URL") }
    let bytes: [UInt8]
    do {
      var request = HTTPClientRequest(url: address)
      request.headers.add(name: "Accept", value: "application/json, application/jwk-set+json")
      request.headers.add(name: "User-Agent", value: "sallyport")
      request.tlsConfiguration = self.tls
      let response = try await Self.client.execute(request, timeout: .seconds(30))
      guard response.status == .ok else { throw KeySetFetchFault("\(name) is answered with status \(response.status.code)") }
      guard Self.mayBeJSON(response.headers.first(name: "Content-Type")) else { throw KeySetFetchFault("\(name) is not sent as JSON") }
      bytes = Array(buffer: try await response.body.collect(upTo: Self.mostBytes))
    } catch let fault as KeySetFetchFault {
      throw fault
    } catch is NIOTooManyBytesError {
      throw KeySetFetchFault("\(name) is longer than \(Self.mostBytes) bytes")
    } catch {
      throw KeySetFetchFault("\(name) could not be fetched: \(error)")
    }
    do throws(JSONFault) {
      return try JSONReader.read(bytes)
    } catch {
      throw KeySetFetchFault("\(name) cannot be read: \(error)")
    }
  }

  private func mayFetch(_ address: String) -> Bool {
    let lowered = address.prefix(8).lowercased()
    guard lowered.hasPrefix("https://") || (self.insecurePlaintext && lowered.hasPrefix("http://")) else { return false }
    return address.utf8.count <= 2048 && address.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "@") }
  }

  /// Providers that keep their keys in a store of files send them as what such stores send. A page is something else: a
  /// sign-in, or an error with status 200.
  private static func mayBeJSON(_ contentType: String?) -> Bool {
    guard let contentType else { return true }
    let type = contentType.prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
    return ["application/json", "text/json", "text/plain", "application/octet-stream"].contains(type) || type.hasSuffix("+json")
  }
}

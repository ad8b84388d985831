import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import SallyportJSON
import SallyportWire

/// Asks a server over TLS, once: a gateway, or an identity provider.
struct SecureConnection: Sendable {
  /// The most bytes of an answer.
  private static let mostBytes = 1024 * 1024

  private let tls: TLSConfiguration

  /// - Parameters:
  ///   - authorities: PEM; `nil` for the system's
  ///   - certificate: what this side shows, PEM
  /// - Throws: ``CommandFailure`` for PEM that cannot be read; it names no key
  init(authorities: [UInt8]?, certificate: ClientCertificate? = nil) throws(CommandFailure) {
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.minimumTLSVersion = .tlsv12
    if let authorities {
      guard let roots = try? NIOSSLCertificate.fromPEMBytes(authorities), !roots.isEmpty else {
        throw CommandFailure("the authority's file holds no PEM certificate")
      }
      tls.trustRoots = .certificates(roots)
    }
    if let certificate {
      guard let chain = try? NIOSSLCertificate.fromPEMBytes(certificate.chain), !chain.isEmpty,
        let key = try? NIOSSLPrivateKey(bytes: certificate.key, format: .pem)
      else { throw CommandFailure("the client certificate or its key cannot be read as PEM") }
      tls.certificateChain = chain.map { .certificate($0) }
      tls.privateKey = .privateKey(key)
    }
    self.tls = tls
  }

  struct Answer: Sendable {
    let status: Int
    let document: JSONValue
  }

  /// A form, sent by POST.
  ///
  /// - Parameter authorization: the field's value
  /// - Throws: ``CommandFailure``, which repeats nothing of what was sent
  func post(_ form: [(name: String, value: String)], to url: String, authorization: String? = nil) async throws(CommandFailure) -> Answer {
    var request = HTTPClientRequest(url: url)
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
    if let authorization { request.headers.add(name: "Authorization", value: authorization) }
    request.body = .bytes(ByteBuffer(string: Self.encode(form)))
    return try await self.answer(to: request)
  }

  func get(_ url: String) async throws(CommandFailure) -> Answer { try await self.answer(to: HTTPClientRequest(url: url)) }

  private func answer(to request: HTTPClientRequest) async throws(CommandFailure) -> Answer {
    guard request.url.lowercased().hasPrefix("https://") else { throw CommandFailure("\(request.url) is not an https URL") }
    var configuration = HTTPClient.Configuration(
      tlsConfiguration: self.tls, redirectConfiguration: .disallow, timeout: .init(connect: .seconds(10), read: .seconds(30)))
    configuration.httpVersion = .http1Only
    let client = HTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton, configuration: configuration)
    let result = await self.result(of: request, by: client)
    try? await client.shutdown()
    return try result.get()
  }

  private func result(of request: HTTPClientRequest, by client: HTTPClient) async -> Result<Answer, CommandFailure> {
    var request = request
    request.headers.add(name: "Accept", value: "application/json")
    request.headers.add(name: "User-Agent", value: "sallyport")
    do {
      let response = try await client.execute(request, timeout: .seconds(60))
      let body = try await response.body.collect(upTo: Self.mostBytes)
      guard let document = try? JSONReader.read(body.readableBytesView) else {
        return .failure(CommandFailure("\(request.url) answered with status \(response.status.code) and no JSON"))
      }
      return .success(Answer(status: Int(response.status.code), document: document))
    } catch {
      return .failure(CommandFailure("\(request.url) cannot be asked: \(error)"))
    }
  }

  /// `application/x-www-form-urlencoded`
  static func encode(_ form: [(name: String, value: String)]) -> String {
    form.map { "\(PercentEncoding.encode($0.name))=\(PercentEncoding.encode($0.value))" }.joined(separator: "&")
  }
}

/// A certificate by which somebody signs in, PEM.
public struct ClientCertificate: Sendable {
  let chain: [UInt8]
  let key: [UInt8]

  /// - Throws: ``CommandFailure`` when a file cannot be read
  public init(certificateFile: String, keyFile: String) throws(CommandFailure) {
    self.chain = try PEMFile.read(certificateFile)
    self.key = try PEMFile.read(keyFile)
  }
}

/// The files that a command is told to read.
public enum PEMFile {
  /// - Throws: ``CommandFailure`` when the file cannot be read
  public static func read(_ path: String) throws(CommandFailure) -> [UInt8] {
    guard let content = try? Data(contentsOf: URL(fileURLWithPath: path)), !content.isEmpty else {
      throw CommandFailure("cannot read \(path)")
    }
    return Array(content)
  }
}

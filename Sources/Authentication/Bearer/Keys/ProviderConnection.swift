import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import SallyportCore
import SallyportJSON

/// Why a provider has not answered, or not with what it should, for the operator.
struct ProviderFault: Error, Sendable, Hashable, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// The word by which an authorization server says what is wrong (RFC 6749 section 5.2).
struct OAuthError: Error, Sendable, Hashable {
  let code: String

  /// - Returns: `nil` for what is no such word: it is shown to operators
  init?(_ code: String) {
    guard !code.isEmpty, code.utf8.count <= 64, code.utf8.allSatisfy({ (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "_") }) else {
      return nil
    }
    self.code = code
  }

  /// The code or the refresh token is none, or none any more.
  var isInvalidGrant: Bool { self.code == "invalid_grant" }

  /// Whether no later question by the same refresh token helps: the users must come by themselves (also OpenID Connect Core section
  /// 3.1.2.6, whose words some providers use here).
  var endsTheGrant: Bool { ["invalid_grant", "interaction_required", "login_required", "consent_required"].contains(self.code) }
}

/// Asks identity providers for JSON: over TLS, without following redirects, within bounds of size and time.
struct ProviderConnection: Sendable {
  /// The most bytes of a document.
  static let mostBytes = 1024 * 1024

  private let tls: TLSConfiguration
  private let insecurePlaintext: Bool

  /// - Throws: ``ProviderFault`` for authorities that are no PEM
  init(certificateAuthority: String?, insecurePlaintext: Bool) throws(ProviderFault) {
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.minimumTLSVersion = .tlsv12
    if let certificateAuthority {
      guard let roots = try? NIOSSLCertificate.fromPEMBytes(Array(certificateAuthority.utf8)), !roots.isEmpty else {
        throw ProviderFault("the certificate authority is no PEM certificate")
      }
      tls.trustRoots = .certificates(roots)
    }
    self.tls = tls
    self.insecurePlaintext = insecurePlaintext
  }

  /// One for the process: its connections are few and short, and a client of its own for each issuer would have to be shut
  /// down by whoever lets go of the last generation.
  private static let client: HTTPClient = {
    var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow, timeout: .init(connect: .seconds(5), read: .seconds(10)))
    configuration.httpVersion = .http1Only
    configuration.connectionPool.idleTimeout = .seconds(1)
    return HTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton, configuration: configuration)
  }()

  /// Runs work until it is done or the time is over, whichever comes first. The client's own deadline ends with the head of
  /// an answer, so that a slow body would have no end.
  static func within<Value: Sendable>(
    _ limit: Duration, _ work: @escaping @Sendable () async throws(ProviderFault) -> Value
  ) async throws(ProviderFault) -> Value {
    let result = await withTaskGroup(of: Result<Value, ProviderFault>.self) { group in
      group.addTask {
        do throws(ProviderFault) {
          return .success(try await work())
        } catch {
          return .failure(error)
        }
      }
      group.addTask {
        try? await Task.sleep(for: limit)
        return .failure(ProviderFault("the provider did not answer within \(limit)"))
      }
      let first = await group.next()
      group.cancelAll()
      return first ?? .failure(ProviderFault("the fetch was cancelled"))
    }
    return try result.get()
  }

  /// The JSON that a request is answered with.
  ///
  /// - Parameter name: what it is called in faults
  /// - Throws: ``ProviderFault`` for everything but status 200 and JSON of a bounded length
  func document(_ name: String, _ request: HTTPClientRequest) async throws(ProviderFault) -> JSONValue {
    let bytes = try await self.body(name, request, isEmptyAllowed: false) { type throws(ProviderFault) in
      guard Self.mayBeJSON(type) else { throw ProviderFault("\(name) is not sent as JSON") }
    }
    do throws(JSONFault) {
      return try JSONReader.read(bytes ?? [])
    } catch {
      throw ProviderFault("\(name) cannot be read: \(error)")
    }
  }

  /// What a token endpoint answers with: JSON, or an error's word (RFC 6749 section 5.2).
  ///
  /// - Throws: ``ProviderFault`` for everything else, an error without a word among it
  func documentOrError(_ name: String, _ request: HTTPClientRequest) async throws(ProviderFault) -> Result<JSONValue, OAuthError> {
    let (status, bytes) = try await self.answer(name, request, taking: [.ok, .badRequest, .unauthorized, .forbidden]) {
      type throws(ProviderFault) in
      guard Self.mayBeJSON(type) else { throw ProviderFault("\(name) is not sent as JSON") }
    }
    let value: JSONValue
    do throws(JSONFault) {
      value = try JSONReader.read(bytes)
    } catch {
      throw ProviderFault("\(name) is answered with status \(status.code) and cannot be read: \(error)")
    }
    guard status != .ok else { return .success(value) }
    guard let code = value["error"]?.string, let error = OAuthError(code) else {
      throw ProviderFault("\(name) is answered with status \(status.code)")
    }
    return .failure(error)
  }

  /// The text of exactly this media type that a request is answered with.
  ///
  /// - Throws: ``ProviderFault`` for everything but status 200, this type and a bounded length
  func text(_ name: String, _ request: HTTPClientRequest, type: String) async throws(ProviderFault) -> Secret {
    guard let bytes = try await self.body(name, request, isEmptyAllowed: false, Self.demanding(type, of: name)) else {
      throw ProviderFault("\(name) is empty")
    }
    return Secret(bytes)
  }

  /// The same, where status 204 says that there is nothing to answer with.
  func textOrNothing(_ name: String, _ request: HTTPClientRequest, type: String) async throws(ProviderFault) -> Secret? {
    try await self.body(name, request, isEmptyAllowed: true, Self.demanding(type, of: name)).map { Secret($0) }
  }

  private static func demanding(_ type: String, of name: String) -> @Sendable (String?) throws(ProviderFault) -> Void {
    { sent throws(ProviderFault) in
      guard let sent, sent.prefix(while: { $0 != ";" }).filter({ $0 != " " }).lowercased() == type else {
        throw ProviderFault("\(name) is not sent as \(type)")
      }
    }
  }

  /// - Returns: `nil` for status 204, where that is an answer
  private func body(
    _ name: String, _ request: HTTPClientRequest, isEmptyAllowed: Bool, _ check: (_ contentType: String?) throws(ProviderFault) -> Void
  ) async throws(ProviderFault) -> [UInt8]? {
    let (status, bytes) = try await self.answer(name, request, taking: isEmptyAllowed ? [.ok, .noContent] : [.ok], check)
    return status == .noContent ? nil : bytes
  }

  /// A whole answer with one of these statuses; what 204 comes with is not looked at.
  private func answer(
    _ name: String, _ request: HTTPClientRequest, taking statuses: [HTTPResponseStatus],
    _ check: (_ contentType: String?) throws(ProviderFault) -> Void
  ) async throws(ProviderFault) -> (status: HTTPResponseStatus, body: [UInt8]) {
    guard self.mayAsk(request.url) else { throw ProviderFault("\(name) is not at an https URL") }
    do {
      var request = request
      request.headers.add(name: "User-Agent", value: "sallyport")
      request.tlsConfiguration = self.tls
      let response = try await Self.client.execute(request, timeout: .seconds(30))
      guard statuses.contains(response.status) else { throw ProviderFault("\(name) is answered with status \(response.status.code)") }
      if response.status == .noContent { return (.noContent, []) }
      try check(response.headers.first(name: "Content-Type"))
      return (response.status, Array(buffer: try await response.body.collect(upTo: Self.mostBytes)))
    } catch let fault as ProviderFault {
      throw fault
    } catch is NIOTooManyBytesError {
      throw ProviderFault("\(name) is longer than \(Self.mostBytes) bytes")
    } catch {
      throw ProviderFault("\(name) could not be fetched: \(error)")
    }
  }

  /// Whether it is a URL that may be asked, or led to: over TLS unless that was given up, without credentials, in visible ASCII.
  func mayAsk(_ address: String) -> Bool {
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

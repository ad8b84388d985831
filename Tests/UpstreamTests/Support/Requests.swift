import NIOCore
@_spi(Authenticator) @_spi(Credential) import SallyportCore
import SallyportWire

/// A request with all its proofs, as the stations before would hand it over.
func credentialed(
  _ method: Method = .get, _ target: String = "/api/v1/pods", fields: [(String, String)] = [], framing: BodyFraming = .none,
  credential: String = "X-Remote-User: alice\r\n", identity: UpstreamCredential.ConnectionIdentity = .none,
  certificate: PresentedCertificate? = nil
) throws -> CredentialedRequest {
  var headers = HeaderFields()
  for (name, value) in fields { try headers.append(name, value) }
  let head = RequestHead(
    method: method, target: try RequestTarget(reading: ByteBuffer(string: target), for: method), fields: headers, framing: framing)
  let stripped = try StrippedRequest(stripping: head, fromTrustedPeer: false)
  let alice = Identity(username: "alice", groups: ["dev"], method: .passwordFile)
  let authenticated = AuthenticatedRequest(
    stripped, reading: try RequestReading(stripped, as: .kubernetes), subject: .identity(alice))
  guard let permitted = PermittedRequest(authenticated, .allow(rule: nil)) else { throw CancellationError() }
  return try CredentialedRequest(
    permitted,
    credential: UpstreamCredential(
      fieldLines: ByteBuffer(string: credential), connection: identity, kind: "requestHeaders", certificate: certificate))
}

/// A body that no repetition, loss or exchange of a part leaves as it is.
func patternedBody(_ count: Int) -> ByteBuffer {
  var value: UInt64 = 0x9E37_79B9_7F4A_7C15
  var words = [UInt64](repeating: 0, count: count / 8 + 1)
  for index in words.indices {
    value = value &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    words[index] = value
  }
  return words.withUnsafeBytes { ByteBuffer(bytes: $0.prefix(count)) }
}

extension ByteBuffer {
  /// The buffer in parts of at most `size` bytes.
  func parts(of size: Int) -> [ByteBuffer] {
    var rest = self
    var parts: [ByteBuffer] = []
    while rest.readableBytes > 0 {
      if let part = rest.readSlice(length: min(size, rest.readableBytes)) { parts.append(part) }
    }
    return parts
  }
}

public import SallyportJSON

/// A JSON Web Token in its compact, signed form (RFC 7519, RFC 7515 section 7.1), read and not yet verified.
///
/// What the header says of keys (`jku`, `jwk`, `x5u`, `x5c`) is not read: a token does not choose who vouches for it
/// (RFC 8725 section 3.10).
public struct SignedToken: Sendable {
  public let algorithm: SignatureAlgorithm
  /// `kid`; `nil` where the header has none.
  public let keyID: String?
  /// `typ` in lower case and without a leading `application/` (RFC 7515 section 4.1.9); `nil` where the header has none.
  public let type: String?
  /// The payload: nothing in it is true before ``isSigned(by:)`` says so.
  public let claims: [String: JSONValue]
  /// The bytes that are signed: header, dot, payload as they were sent.
  private let signedBytes: [UInt8]
  private let signature: [UInt8]

  /// Why text is no such token; never a part of it.
  public struct Fault: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
  }

  /// Longer tokens do not fit into the heads that API servers read.
  public static let mostBytes = 64 * 1024

  /// Whether text has the shape of a JWS in compact form: three parts between dots, the first of them the base64url of an
  /// opening brace. Anything else is an opaque token.
  public static func hasShape(_ text: some Collection<UInt8>) -> Bool {
    text.starts(with: "eyJ".utf8) && text.lazy.filter { $0 == UInt8(ascii: ".") }.count == 2
  }

  /// Reads a token.
  ///
  /// - Throws: ``Fault`` for anything but three parts of strict base64url, JSON objects without repeated keys, an algorithm
  ///   that is not one of ``SignatureAlgorithm``, and a header with `crit` or `b64`, which demand what is not done here
  public init(_ text: some Collection<UInt8>) throws(Fault) {
    guard text.count <= Self.mostBytes else { throw Fault("the token is longer than \(Self.mostBytes) bytes") }
    let bytes = Array(text)
    let parts = bytes.split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 3 else { throw Fault("the token has no three parts") }
    let header = try Self.object(parts[0], "header")
    guard header["crit"] == nil, header["b64"] == nil else { throw Fault("the token's header demands an extension (crit, b64)") }
    guard let name = header["alg"]?.string else { throw Fault("the token's header has no alg") }
    guard let algorithm = SignatureAlgorithm(rawValue: name) else { throw Fault("the token's alg is not one that is accepted") }
    self.algorithm = algorithm
    self.keyID = try Self.text(header, "kid")
    self.type = try Self.text(header, "typ").map(Self.mediaType)
    self.claims = try Self.object(parts[1], "payload")
    guard let signature = Base64URL.decode(parts[2]), !signature.isEmpty else { throw Fault("the token's signature is no base64url") }
    self.signature = signature
    self.signedBytes = Array(bytes[..<parts[1].endIndex])
  }

  /// The payload of text of three parts, whatever its header and its signature are: to know whom it claims to be of.
  ///
  /// - Returns: `nil` where the payload cannot be read in one way only
  public static func statedClaims(_ text: some Collection<UInt8>) -> [String: JSONValue]? {
    let parts = Array(text).split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
    return parts.count == 3 ? try? self.object(parts[1], "payload") : nil
  }

  /// Whether the key made the token's signature, by the algorithm that its header names.
  public func isSigned(by key: VerificationKey) -> Bool {
    key.verifies(self.signature, over: self.signedBytes, by: self.algorithm)
  }

  private static func object(_ part: ArraySlice<UInt8>, _ name: String) throws(Fault) -> [String: JSONValue] {
    guard let bytes = Base64URL.decode(part) else { throw Fault("the token's \(name) is no base64url") }
    let value: JSONValue
    do throws(JSONFault) {
      value = try JSONReader.read(bytes)
    } catch {
      throw Fault("the token's \(name): \(error)")
    }
    guard let object = value.object else { throw Fault("the token's \(name) is no JSON object") }
    return object
  }

  private static func text(_ header: [String: JSONValue], _ name: String) throws(Fault) -> String? {
    guard let value = header[name] else { return nil }
    guard let text = value.string else { throw Fault("the token's \(name) is no string") }
    return text
  }

  private static func mediaType(_ text: String) -> String {
    let lowered = text.lowercased()
    return lowered.hasPrefix("application/") ? String(lowered.dropFirst("application/".count)) : lowered
  }
}

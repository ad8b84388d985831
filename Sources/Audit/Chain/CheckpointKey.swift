package import Crypto
import Foundation

/// The Ed25519 key (RFC 8032) by which the log signs its own events.
///
/// What is signed is the text `sallyport.dev/audit/v1` and a newline, the link before, and the event's line up to its
/// `sallyport.dev/signature` annotation: the event, its number, and through the link every record before it.
package struct CheckpointKey: Sendable {
  private let key: Curve25519.Signing.PrivateKey
  package let publicKey: CheckpointPublicKey

  /// Characters of a signature: 64 bytes in base64.
  static let signatureLength = 88
  static let context: StaticString = "sallyport.dev/audit/v1\n"

  package init(_ key: Curve25519.Signing.PrivateKey = .init()) {
    self.key = key
    self.publicKey = CheckpointPublicKey(key.publicKey)
  }

  /// Reads an unencrypted private key as `openssl genpkey -algorithm ed25519` writes one: PKCS #8 in PEM (RFC 8410).
  ///
  /// - Throws: a sentence about what is wrong
  package init(pem: String) throws(KeyFault) {
    let bytes = try PEMText.decode(pem, label: "PRIVATE KEY", prefix: Self.pkcs8Prefix)
    guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes) else { throw KeyFault("holds no Ed25519 key") }
    self.init(key)
  }

  package var pem: String { PEMText.encode(Self.pkcs8Prefix + self.key.rawRepresentation, label: "PRIVATE KEY") }

  /// Everything of the encoding that is in front of the 32 bytes of a key (RFC 8410 section 7).
  private static let pkcs8Prefix: [UInt8] = [
    0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
  ]

  /// The signature in base64.
  func signature(of body: UnsafeRawBufferPointer, after value: ChainValue) -> String {
    guard let signature = try? self.key.signature(for: CheckpointPublicKey.message(body, after: value)) else {
      // Only without memory; a log that cannot sign must not go on.
      preconditionFailure("Ed25519 cannot sign")
    }
    return signature.base64EncodedString()
  }
}

/// The public half, for whoever reviews the log.
package struct CheckpointPublicKey: Sendable, Hashable {
  private let bytes: [UInt8]

  init(_ key: Curve25519.Signing.PublicKey) { self.bytes = Array(key.rawRepresentation) }

  /// Reads a public key as `openssl pkey -pubout` writes one (RFC 8410).
  package init(pem: String) throws(KeyFault) {
    self.bytes = try PEMText.decode(pem, label: "PUBLIC KEY", prefix: Self.infoPrefix)
    guard (try? Curve25519.Signing.PublicKey(rawRepresentation: self.bytes)) != nil else { throw KeyFault("holds no Ed25519 key") }
  }

  package var pem: String { PEMText.encode(Self.infoPrefix + self.bytes, label: "PUBLIC KEY") }

  /// What names the key in the log: the first 16 digits of the SHA-256 of its 32 bytes.
  package var identifier: String {
    Hexadecimal.text(SHA256.hash(data: self.bytes).prefix(8))
  }

  private static let infoPrefix: [UInt8] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00]

  package func isValid(_ signature: UnsafeRawBufferPointer, of body: UnsafeRawBufferPointer, after value: ChainValue) -> Bool {
    guard let bytes = Data(base64Encoded: Data(signature)), let key = try? Curve25519.Signing.PublicKey(rawRepresentation: self.bytes)
    else { return false }
    return key.isValidSignature(bytes, for: Self.message(body, after: value))
  }

  static func message(_ body: UnsafeRawBufferPointer, after value: ChainValue) -> Data {
    var message = Data(capacity: CheckpointKey.context.utf8CodeUnitCount + 32 + body.count)
    message.append(CheckpointKey.context.utf8Start, count: CheckpointKey.context.utf8CodeUnitCount)
    value.withBytes { message.append(contentsOf: $0) }
    message.append(contentsOf: body)
    return message
  }
}

/// Why a file is no key, as the predicate of a sentence; never anything of its content.
package struct KeyFault: Error, Sendable, Equatable, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}

/// The textual encoding of a key (RFC 7468) of which everything but 32 bytes is fixed.
private enum PEMText {
  static func decode(_ text: String, label: String, prefix: [UInt8]) throws(KeyFault) -> [UInt8] {
    let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
    guard let begin = lines.firstIndex(of: "-----BEGIN \(label)-----"), let end = lines[begin...].firstIndex(of: "-----END \(label)-----")
    else { throw KeyFault("holds no `\(label)` in PEM") }
    guard let bytes = Data(base64Encoded: lines[(begin + 1)..<end].joined()), bytes.count == prefix.count + 32, bytes.starts(with: prefix)
    else { throw KeyFault("holds no Ed25519 key") }
    return Array(bytes.dropFirst(prefix.count))
  }

  static func encode(_ bytes: [UInt8], label: String) -> String {
    "-----BEGIN \(label)-----\n\(Data(bytes).base64EncodedString())\n-----END \(label)-----\n"
  }
}

public import NIOCore

/// A client certificate that was made for one identity, with its key: what a connection to an upstream presents.
public final class PresentedCertificate: Sendable {
  /// The leaf first, then the authorities between it and the root; DER.
  public let chain: [[UInt8]]
  public let key: PresentedKey
  /// From when on no connection is made with it.
  public let ends: NIODeadline

  public init(chain: [[UInt8]], key: PresentedKey, ends: NIODeadline) {
    self.chain = chain
    self.key = key
    self.ends = ends
  }
}

/// A private key that several certificates share. It is one object for all of them, so that it is read once.
public final class PresentedKey: Sendable {
  /// DER, as SEC 1 or PKCS #8 has it.
  public let der: Secret

  public init(der: Secret) { self.der = der }
}

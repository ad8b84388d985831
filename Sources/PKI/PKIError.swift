/// Why a certificate, key or file of a PKI could not be made or read: one sentence for the operator, without key material.
public struct PKIError: Error, Sendable, Equatable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) {
    self.description = description
  }
}

/// What is wrong with an issuer's keys: a sentence, or its end behind the name of a file; never a part of a key.
public struct IssuerFault: Error, Sendable, Hashable, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}

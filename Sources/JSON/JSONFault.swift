/// Why bytes are no JSON that can be read in one way only.
public struct JSONFault: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong; never a part of the text, which may be a credential.
  public let reason: String
  /// Where, in bytes from the start.
  public let offset: Int

  public var description: String { "\(self.reason) at byte \(self.offset)" }
}

/// Why a command did not do what it was asked for: one sentence for the person at the terminal.
public struct CommandFailure: Error, Sendable, Equatable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) {
    self.description = description
  }
}

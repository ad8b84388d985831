/// Why a log could not be reviewed, as a sentence: a file that cannot be read, an argument that means nothing.
public struct ReviewFault: Error, Sendable, Equatable, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}

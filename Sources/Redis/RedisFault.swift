/// Why a Redis server cannot be asked. The text is for the operator; no argument of a command is in it.
public struct RedisFault: Error, Sendable, Equatable, CustomStringConvertible {
  public let reason: String
  public init(_ reason: String) { self.reason = reason }
  public var description: String { self.reason }
}

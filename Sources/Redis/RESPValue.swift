/// A reply of a Redis server's, in the second version of its protocol (RESP2).
public enum RESPValue: Sendable, Equatable {
  case text(String)
  /// What the server says went wrong; the first word says what kind, and ``RedisFault`` tells no more of it.
  case error(String)
  case integer(Int64)
  /// `nil` for what is not there.
  case bytes([UInt8]?)
  /// `nil` for a list that is not there.
  case list([RESPValue]?)
}

import NIOCore

/// A command to a Redis server: its name and arguments, which are any bytes. It does not print itself, since an argument may be
/// a password.
public struct RedisCommand: Sendable, CustomStringConvertible, CustomReflectable {
  let name: String
  private let arguments: [[UInt8]]

  public init(_ name: String, _ arguments: [[UInt8]]) {
    self.name = name
    self.arguments = arguments
  }

  public init(_ name: String, _ arguments: String...) {
    self.init(name, arguments.map { Array($0.utf8) })
  }

  /// The bytes of it: a list of values, each behind its length, so that no byte of an argument means anything.
  func write(to buffer: inout ByteBuffer) {
    buffer.writeString("*\(self.arguments.count + 1)\r\n$\(self.name.utf8.count)\r\n\(self.name)\r\n")
    for argument in self.arguments {
      buffer.writeString("$\(argument.count)\r\n")
      buffer.writeBytes(argument)
      buffer.writeString("\r\n")
    }
  }

  public var description: String { "\(self.name) <\(self.arguments.count) arguments>" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}

import NIOCore

/// The terminal between a client and a program: shows what is typed and hands on whole lines, as a Unix terminal does in its
/// usual mode (termios(3), `ICANON`, `ECHO`, `ISIG`, `ONLCR`).
struct Terminal {
  enum Effect: Equatable {
    case show(ByteBuffer)
    case line(ByteBuffer)
    case endOfInput
    case interrupt
  }

  private var line = ByteBuffer()

  mutating func type(_ bytes: ByteBuffer) -> [Effect] {
    var effects: [Effect] = []
    for byte in bytes.readableBytesView {
      switch byte {
      case 0x03: effects += [.show(ByteBuffer(string: "^C\r\n")), .interrupt]
      case 0x04 where self.line.readableBytes == 0: effects.append(.endOfInput)
      case 0x04: effects.append(.line(self.take()))
      case 0x7F, 0x08:
        guard self.line.readableBytes > 0 else { continue }
        self.line.moveWriterIndex(to: self.line.writerIndex - 1)
        effects.append(.show(ByteBuffer(string: "\u{8} \u{8}")))
      case UInt8(ascii: "\r"), UInt8(ascii: "\n"):
        self.line.writeInteger(UInt8(ascii: "\n"))
        effects += [.show(ByteBuffer(string: "\r\n")), .line(self.take())]
      default:
        self.line.writeInteger(byte)
        effects.append(.show(ByteBuffer(bytes: [byte])))
      }
    }
    return effects
  }

  private mutating func take() -> ByteBuffer {
    defer { self.line = ByteBuffer() }
    return self.line
  }

  /// A program's output as a terminal shows it: a new line begins at the left.
  static func shown(_ output: ByteBuffer) -> ByteBuffer {
    var shown = ByteBuffer()
    for byte in output.readableBytesView {
      if byte == UInt8(ascii: "\n") { shown.writeInteger(UInt8(ascii: "\r")) }
      shown.writeInteger(byte)
    }
    return shown
  }
}

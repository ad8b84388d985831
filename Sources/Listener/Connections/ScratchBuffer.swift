import NIOCore
import NIOPosix

/// The memory into which answers are written before they are encrypted: one buffer for each event loop.
///
/// A connection takes it for the time between an answer's first byte and its flush, and gives it back: TLS has made a copy of
/// its own by then. So an answer costs no allocation, and a connection that lies idle holds no buffer.
enum ScratchBuffer {
  private final class Spare {
    var buffer = ByteBuffer()
  }

  /// An event loop is one thread's. The variable may be shared because each thread only ever sees the object that it put there.
  nonisolated(unsafe) private static let spare = ThreadSpecificVariable<Spare>()
  /// What grew beyond this for one large answer is let go of, in bytes.
  private static let largestKept = 128 * 1024

  /// An empty buffer, with memory where some is spare.
  static func take() -> ByteBuffer {
    var taken = ByteBuffer()
    if let spare = self.spare.currentValue { swap(&taken, &spare.buffer) }
    return taken
  }

  /// Takes the buffer's memory back and leaves an empty one in its place. Where somebody still holds it (a channel without TLS
  /// that could not write all of it), it stays theirs.
  static func giveBack(_ buffer: inout ByteBuffer) {
    var returned = ByteBuffer()
    swap(&returned, &buffer)
    returned.clear(minimumCapacity: 0)
    guard (1...self.largestKept).contains(returned.capacity) else { return }
    if let spare = self.spare.currentValue {
      spare.buffer = returned
    } else {
      let spare = Spare()
      spare.buffer = returned
      self.spare.currentValue = spare
    }
  }
}

import Dispatch
import NIOConcurrencyHelpers
import NIOCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Prints what is in the log, for collectors of a container's output.
///
/// The file is the log, and this is a copy: it is made behind the file, on a thread of its own. Whoever reads it slowly or not
/// at all makes it lose lines, whole ones, and says so in a line; the file waits for nobody but the disk.
final class RecordPrinter: Sendable {
  private struct State {
    var waiting: [ByteBuffer] = []
    var waitingBytes = 0
    var lost = 0
    var isBroken = false
  }

  /// Bytes that may wait for the reader.
  private static let limit = 8 * 1024 * 1024

  private let descriptor: Int32
  private let state = NIOLockedValueBox(State())
  private let queue = DispatchQueue(label: "audit.print", qos: .utility)

  init(to descriptor: Int32) {
    self.descriptor = descriptor
  }

  /// Takes whole lines and returns at once.
  func print(_ lines: ByteBuffer) {
    let isFirst = self.state.withLockedValue { state in
      guard !state.isBroken else { return false }
      guard state.waitingBytes + lines.readableBytes <= Self.limit else {
        state.lost += lines.withUnsafeReadableBytes { $0.lineCount }
        return false
      }
      state.waiting.append(lines)
      state.waitingBytes += lines.readableBytes
      return state.waiting.count == 1
    }
    if isFirst { self.queue.async { self.drain() } }
  }

  /// Waits a moment for what is still to be printed.
  func close() {
    let isDone = DispatchSemaphore(value: 0)
    self.queue.async { isDone.signal() }
    _ = isDone.wait(timeout: .now() + .seconds(1))
  }

  private func drain() {
    while true {
      let (lines, lost) = self.state.withLockedValue { state in
        // Of what was lost it is told behind lines that were not, so that a reader that stands still is told once.
        let taken = (state.waiting, state.waiting.isEmpty ? 0 : state.lost)
        if !state.waiting.isEmpty { state.lost = 0 }
        state.waiting = []
        state.waitingBytes = 0
        return taken
      }
      guard !lines.isEmpty else { return }
      for buffer in lines where !self.write(buffer) { return self.state.withLockedValue { $0.isBroken = true } }
      if lost > 0, !self.write(Self.notice(lost)) { return self.state.withLockedValue { $0.isBroken = true } }
    }
  }

  /// An event like the others; it stands on the output alone.
  private static func notice(_ lost: Int) -> ByteBuffer {
    var line = LineBytes()
    LogEvent(.outputLost, [("lost", "\(lost)")]).encode(into: &line, id: AuditID(), at: .now())
    line.write(Chain.ending)
    return line.withBytes { ByteBuffer(bytes: $0) }
  }

  /// - Returns: `false` where nobody reads any more
  private func write(_ lines: ByteBuffer) -> Bool {
    lines.withUnsafeReadableBytes { bytes in
      var written = 0
      while written < bytes.count {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
        let count = systemWrite(self.descriptor, rest)
        if count > 0 {
          written += count
        } else if count < 0, errno == EAGAIN {
          var wait = pollfd(fd: self.descriptor, events: Int16(POLLOUT), revents: 0)
          poll(&wait, 1, -1)
        } else if count == 0 || errno != EINTR {
          return false
        }
      }
      return true
    }
  }
}

private func systemWrite(_ file: Int32, _ bytes: UnsafeRawBufferPointer) -> Int { write(file, bytes.baseAddress, bytes.count) }

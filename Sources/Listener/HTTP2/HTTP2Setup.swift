import NIOCore
import NIOHTTP2
import SallyportCore
import SallyportWire

/// How the HTTP/2 library is set up. Its limits are active only in the initialiser that is used here.
enum HTTP2Setup {
  /// A stream's window: what a client may send of a body before any of it was taken. A client whose request waits (for its
  /// upstream, or for its password to be verified) occupies this much memory, and so a connection at most this much times
  /// its streams. A stream begins with 64 KiB, the protocol's own first window, and gets the rest with its first DATA: a
  /// setting would be added to this number by the library for streams that are older than the client's consent to it.
  static let streamWindow = 128 * 1024
  /// The connection's window, for the streams together; the library returns it as bytes arrive.
  static let connectionWindow = 1024 * 1024
  /// What waits of an answer for the client's windows before its sender is told to stop.
  static let mostUnsent = 64 * 1024
  /// What a head may have beyond the listener's limit before it ends the connection and not only its request: the library
  /// knows no other answer to a head that is larger than it was told to read.
  static let headTolerance = 16 * 1024

  /// Adds what speaks HTTP/2 to a connection, behind a handler of its pipeline or at its end.
  static func addHandlers(
    to channel: any Channel, position: ChannelPipeline.SynchronousOperations.Position, setup: ConnectionSetup, facts: ConnectionFacts
  ) throws {
    let now = channel.eventLoop.now
    let connection = HTTP2ConnectionHandler(
      receiver: setup.receiver, facts: facts, limits: setup.messages, timeouts: setup.timeouts, now: now)
    let bound = NIOLoopBound(connection, eventLoop: channel.eventLoop)
    let http2 = NIOHTTP2Handler(
      mode: .server, eventLoop: channel.eventLoop,
      connectionConfiguration: self.connectionConfiguration(setup), streamConfiguration: self.streamConfiguration
    ) { stream in
      stream.eventLoop.makeCompletedFuture {
        try stream.pipeline.syncOperations.addHandler(HTTP2StreamHandler(of: bound.value, on: stream.eventLoop))
      }
    }
    try channel.pipeline.syncOperations.addHandlers(
      [HTTP2TransportHandler(of: connection, now: now), http2, connection], position: position)
  }

  private static func connectionConfiguration(_ setup: ConnectionSetup) -> NIOHTTP2Handler.ConnectionConfiguration {
    let sectionSize = setup.messages.headBytes + self.headTolerance
    var configuration = NIOHTTP2Handler.ConnectionConfiguration()
    configuration.initialSettings = [
      HTTP2Setting(parameter: .maxConcurrentStreams, value: setup.streamsPerConnection),
      HTTP2Setting(parameter: .maxHeaderListSize, value: sectionSize),
    ]
    // Fields and lengths are checked where they are read: a request that breaks the rules is answered, and recorded.
    configuration.headerBlockValidation = .disabled
    configuration.contentLengthValidation = .disabled
    configuration.targetWindowSize = self.connectionWindow
    // A section of the largest size in full frames, with one to spare.
    configuration.maximumSequentialContinuationFrames = sectionSize / (16 * 1024) + 1
    configuration.maximumSequentialEmptyDataFrames = 1
    // Control frames wait only where the client reads nothing, and then a few are enough.
    configuration.maximumBufferedControlFrames = 1000
    // Frames for a stream that we have reset are on their way for a while.
    configuration.maximumRecentlyResetStreams = setup.streamsPerConnection
    configuration.maximumConnectionGlitches = 100
    configuration.controlFrameRateLimit.maximumCount = 200
    configuration.controlFrameRateLimit.windowLength = .seconds(30)
    return configuration
  }

  private static var streamConfiguration: NIOHTTP2Handler.StreamConfiguration {
    var configuration = NIOHTTP2Handler.StreamConfiguration()
    configuration.targetWindowSize = self.streamWindow
    configuration.outboundBufferSizeHighWatermark = self.mostUnsent
    configuration.outboundBufferSizeLowWatermark = self.mostUnsent / 2
    configuration.streamResetFrameRateLimit.maximumCount = 200
    configuration.streamResetFrameRateLimit.windowLength = .seconds(30)
    configuration.streamErrorRateLimit.maximumCount = 100
    configuration.streamErrorRateLimit.windowLength = .seconds(30)
    return configuration
  }
}

import NIOCore

/// The body of a request that an own path reads whole before it answers. A value without I/O.
struct RequestBody {
  enum Progress: Equatable {
    case goesOn
    /// More came than is taken: nothing of it is kept.
    case tooLong
  }

  private let limit: Int
  private var parts = ByteBuffer()
  private var isTooLong = false

  init(limit: Int) { self.limit = limit }

  mutating func received(_ bytes: ByteBuffer) -> Progress {
    guard !self.isTooLong, self.parts.readableBytes + bytes.readableBytes <= self.limit else {
      self.isTooLong = true
      self.parts = ByteBuffer()
      return .tooLong
    }
    self.parts.writeImmutableBuffer(bytes)
    return .goesOn
  }

  /// All of it; `nil` where it was too long.
  var whole: ByteBuffer? { self.isTooLong ? nil : self.parts }
}

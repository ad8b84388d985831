public import NIOCore
public import SallyportWire

/// What is kept of a body while it goes by: a copy of its first bytes, and nothing at all as soon as it is known that it will
/// not be recorded. Nobody waits for it.
public struct BodyCapture: Sendable {
  private enum State {
    case collecting
    case complete
    case omitted(Omission)
  }

  /// Why a body is not in its record.
  enum Omission {
    case tooLarge(limit: Int)
    case notJSON
    case encoded
    case brokenOff
  }

  private var state = State.collecting
  private var bytes = ByteBuffer()
  private let limit: Int

  /// - Parameters:
  ///   - fields: those of the message's head; without a `Content-Type` a body counts as JSON, as it does in the API server
  ///   - limit: bytes; a larger body is not recorded, because half an object says something else than the whole
  public init(of fields: HeaderFields, limit: Int) {
    self.limit = limit
    if let encoding = fields.first(.contentEncoding), encoding.value.lowercased() != "identity" {
      self.state = .omitted(.encoded)
    } else if let type = fields.first(.contentType), !Self.isJSON(type.value) {
      self.state = .omitted(.notJSON)
    }
  }

  private var hasContent = false

  public mutating func append(_ part: ByteBuffer) {
    guard part.readableBytes > 0 else { return }
    self.hasContent = true
    guard case .collecting = self.state else { return }
    guard self.bytes.readableBytes + part.readableBytes <= self.limit else {
      self.bytes = ByteBuffer()
      self.state = .omitted(.tooLarge(limit: self.limit))
      return
    }
    self.bytes.writeImmutableBuffer(part)
  }

  /// All of it has come.
  public mutating func end() {
    if case .collecting = self.state { self.state = .complete }
  }

  /// What there is to record; `nil` where there was no body.
  var content: Result<ByteBuffer, Omission>? {
    guard self.hasContent else { return nil }
    switch self.state {
    case .collecting: return .failure(.brokenOff)
    case .complete: return .success(self.bytes)
    case .omitted(let omission): return .failure(omission)
    }
  }

  /// `application/json` and what is written in it, such as `application/merge-patch+json`; parameters do not matter.
  private static func isJSON(_ contentType: String) -> Bool {
    let type = contentType.prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" }
    return type == "application/json" || (type.hasPrefix("application/") && type.hasSuffix("+json"))
  }
}

extension BodyCapture.Omission: Error, CustomStringConvertible {
  var description: String {
    switch self {
    case .tooLarge(let limit): "omitted: larger than \(limit) bytes"
    case .notJSON: "omitted: not JSON"
    case .encoded: "omitted: compressed"
    case .brokenOff: "omitted: broken off"
    }
  }
}

import CZlib
import NIOCore

/// Packs the header blocks of one direction of a SPDY/3 connection: one zlib stream for all of them, flushed after each.
///
/// - Note: the dictionary is set once, before the first block
final class SPDYHeaderPacker {
  // Allocated for itself: zlib keeps a pointer to it.
  private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

  init() {
    self.stream.initialize(to: z_stream())
    precondition(sallyport_deflate_init(self.stream, 6) == Z_OK, "zlib has no memory")
    _ = SPDYDictionary.bytes.withUnsafeBufferPointer { deflateSetDictionary(self.stream, $0.baseAddress, UInt32($0.count)) }
  }

  deinit {
    deflateEnd(self.stream)
    self.stream.deallocate()
  }

  func pack(_ fields: [(name: String, value: String)]) -> ByteBuffer {
    var plain = ByteBuffer()
    plain.writeInteger(UInt32(fields.count))
    for field in fields {
      for text in [field.name, field.value] {
        plain.writeInteger(UInt32(text.utf8.count))
        plain.writeString(text)
      }
    }
    var input = Array(plain.readableBytesView)
    var output = [UInt8](repeating: 0, count: Int(deflateBound(self.stream, UInt(input.count))) + 64)
    let written = input.withUnsafeMutableBufferPointer { input in
      output.withUnsafeMutableBufferPointer { output in
        self.stream.pointee.next_in = input.baseAddress
        self.stream.pointee.avail_in = UInt32(input.count)
        self.stream.pointee.next_out = output.baseAddress
        self.stream.pointee.avail_out = UInt32(output.count)
        deflate(self.stream, Z_SYNC_FLUSH)
        return output.count - Int(self.stream.pointee.avail_out)
      }
    }
    return ByteBuffer(bytes: output[..<written])
  }
}

/// Unpacks the header blocks of one direction.
final class SPDYHeaderUnpacker {
  /// The most that a block may come to, in bytes: more than any client sends, and no bomb.
  static let limit = 64 * 1024

  private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

  init() {
    self.stream.initialize(to: z_stream())
    precondition(sallyport_inflate_init(self.stream) == Z_OK, "zlib has no memory")
  }

  deinit {
    inflateEnd(self.stream)
    self.stream.deallocate()
  }

  /// - Returns: the fields, their names in lower case; of repeated ones the first counts
  func unpack(_ block: ByteBuffer) throws(StreamFault) -> [String: String] {
    var plain = ByteBuffer(bytes: try self.inflated(Array(block.readableBytesView)))
    guard let count = plain.readInteger(as: UInt32.self) else { throw StreamFault("a header block without a count") }
    var fields: [String: String] = [:]
    func text() throws(StreamFault) -> String {
      guard let length = plain.readInteger(as: UInt32.self), let text = plain.readString(length: Int(length)) else {
        throw StreamFault("a header block that ends early")
      }
      return text
    }
    for _ in 0..<count {
      let name = try text().lowercased()
      let value = try text()
      // Several values of one name are separated by NUL.
      if fields[name] == nil { fields[name] = String(value.prefix { $0 != "\0" }) }
    }
    return fields
  }

  private func inflated(_ block: [UInt8]) throws(StreamFault) -> [UInt8] {
    var input = block
    var output = [UInt8](repeating: 0, count: Self.limit)
    let written = input.withUnsafeMutableBufferPointer { input -> Int? in
      output.withUnsafeMutableBufferPointer { output -> Int? in
        self.stream.pointee.next_in = input.baseAddress
        self.stream.pointee.avail_in = UInt32(input.count)
        self.stream.pointee.next_out = output.baseAddress
        self.stream.pointee.avail_out = UInt32(output.count)
        var result = inflate(self.stream, Z_SYNC_FLUSH)
        if result == Z_NEED_DICT {
          result = SPDYDictionary.bytes.withUnsafeBufferPointer { inflateSetDictionary(self.stream, $0.baseAddress, UInt32($0.count)) }
          if result == Z_OK { result = inflate(self.stream, Z_SYNC_FLUSH) }
        }
        // Everything has to be taken: what is left would not fit.
        guard result == Z_OK || result == Z_BUF_ERROR, self.stream.pointee.avail_in == 0, self.stream.pointee.avail_out > 0 else {
          return nil
        }
        return output.count - Int(self.stream.pointee.avail_out)
      }
    }
    guard let written else { throw StreamFault("a header block that zlib does not unpack, or a large one") }
    return Array(output[..<written])
  }
}

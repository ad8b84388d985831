/// Writes protobuf messages: fields with a number, each a number, a text, or a message.
struct ProtobufWriter {
  var bytes: [UInt8] = []

  mutating func write(_ number: Int, _ value: Bool) {
    guard value else { return }
    self.varint(UInt64(number) << 3)
    self.varint(1)
  }

  mutating func write(_ number: Int, _ text: String?) {
    guard let text else { return }
    self.write(number, Array(text.utf8))
  }

  mutating func write(_ number: Int, _ texts: [String]) {
    for text in texts { self.write(number, text) }
  }

  mutating func write(_ number: Int, _ body: (inout ProtobufWriter) -> Void) {
    var message = ProtobufWriter()
    body(&message)
    self.write(number, message.bytes)
  }

  private mutating func write(_ number: Int, _ bytes: [UInt8]) {
    self.varint(UInt64(number) << 3 | 2)
    self.varint(UInt64(bytes.count))
    self.bytes += bytes
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      self.bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    self.bytes.append(UInt8(rest))
  }
}

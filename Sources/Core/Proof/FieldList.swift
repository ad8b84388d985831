import SallyportWire

extension HeaderFields.Field {
  /// The elements of a value that is a list (RFC 9110 section 5.6.1): without blanks around them, empty ones left out.
  var listElements: [[UInt8]] {
    self.withValue { value in
      value.split(separator: UInt8(ascii: ",")).compactMap { element in
        guard let first = element.firstIndex(where: { !Self.isBlank($0) }), let last = element.lastIndex(where: { !Self.isBlank($0) })
        else { return nil }
        return Array(element[first...last])
      }
    }
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}

import SallyportWire

/// Removes from an upstream's answer what was meant for the connection to us, and our own correlation from its mouth.
enum ResponseHopByHop {
  /// Removes the hop-by-hop fields (RFC 9110 section 7.6.1) and every field that `Connection` names.
  static func strip(_ head: ResponseHead) -> ResponseHead {
    var head = head
    let named = self.namesInConnection(head.fields)
    head.fields.removeAll(known: { $0.isHopByHop && $0 != .proxyAuthenticate })
    if !named.isEmpty { head.fields.removeAll(where: { field in named.contains(where: field.hasName) }) }
    return head
  }

  /// Trailers pass only where they cannot be taken for a header of weight.
  static func stripTrailers(_ trailers: HeaderFields) -> HeaderFields {
    guard !trailers.isEmpty else { return trailers }
    var trailers = trailers
    trailers.removeAll { $0.known?.isHopByHop == true || $0.known?.isIdentity == true || $0.known == .setCookie }
    return trailers
  }

  private static func namesInConnection(_ fields: HeaderFields) -> [String] {
    var names: [String] = []
    for field in fields where field.known == .connection && !field.withValue(self.saysNothingOfFields) {
      names += field.value.split(separator: ",").map { $0.filter { $0 != " " && $0 != "\t" } }
    }
    return names
  }

  /// Whether the value is `keep-alive` or `close` alone, which nearly all are: no string is made of those.
  private static func saysNothingOfFields(_ value: UnsafeRawBufferPointer) -> Bool {
    self.isWord(value, "keep-alive") || self.isWord(value, "close")
  }

  private static func isWord(_ value: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
    guard value.count == word.utf8CodeUnitCount else { return false }
    for index in value.indices where value[index] | 0x20 != word.utf8Start[index] | 0x20 { return false }
    return true
  }
}

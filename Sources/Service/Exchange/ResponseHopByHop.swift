import SallyportCore
import SallyportWire

/// Removes from an upstream's answer what was meant for the connection to us, and sees to the ID by which both logs join.
enum ResponseHopByHop {
  private static let stripped = KnownFields.hopByHop.subtracting(KnownFields(.proxyAuthenticate))
  private static let refusedTrailers = KnownFields.hopByHop.union(.identity).union(KnownFields(.setCookie))

  /// Removes the hop-by-hop fields (RFC 9110 section 7.6.1) and every field that `Connection` names.
  static func strip(_ head: ResponseHead) -> ResponseHead {
    var head = head
    let named = self.namesInConnection(head.fields)
    head.fields.removeAll(self.stripped)
    // A session is begun by the gateway alone.
    if head.fields.contains(.setCookie) {
      head.fields.removeAll { $0.known == .setCookie && $0.withValue(OwnCookies.isPlanted(bySetCookie:)) }
    }
    if !named.isEmpty { head.fields.removeAll(where: { field in named.contains(where: field.hasName) }) }
    return head
  }

  /// The same for a final head, which leaves with the request's audit ID: the one that the upstream got, whatever it
  /// answers.
  static func strip(_ head: ResponseHead, auditID: String) -> ResponseHead {
    var head = self.strip(head)
    let stated = head.fields.all(.auditID)
    if stated.count == 1, stated[0].withValue({ $0.elementsEqual(auditID.utf8) }) { return head }
    head.fields.removeAll(KnownFields(.auditID))
    head.auditID = auditID
    return head
  }

  /// Trailers pass only where they cannot be taken for a header of weight.
  static func stripTrailers(_ trailers: HeaderFields) -> HeaderFields {
    guard !trailers.isEmpty else { return trailers }
    var trailers = trailers
    trailers.removeAll(self.refusedTrailers)
    return trailers
  }

  private static func namesInConnection(_ fields: HeaderFields) -> [String] {
    var names: [String] = []
    guard fields.contains(.connection) else { return names }
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

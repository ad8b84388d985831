import SallyportWire

/// Removes from an upstream's answer what was meant for the connection to us, and our own correlation from its mouth.
enum ResponseHopByHop {
  /// Removes the hop-by-hop fields (RFC 9110 section 7.6.1) and every field that `Connection` names.
  static func strip(_ head: ResponseHead) -> ResponseHead {
    var head = head
    let named = self.namesInConnection(head.fields)
    head.fields.removeAll { field in
      if let known = field.known { return known.isHopByHop && known != .proxyAuthenticate || named.contains(where: field.hasName) }
      return named.contains(where: field.hasName)
    }
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
    guard fields.contains(.connection) else { return [] }
    return fields.all(.connection).flatMap { field in
      field.value.split(separator: ",").map { $0.filter { $0 != " " && $0 != "\t" } }
    }
  }
}

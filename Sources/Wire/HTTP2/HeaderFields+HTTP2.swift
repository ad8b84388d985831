extension HeaderFields {
  /// Calls `body` with each field as HTTP/2 writes it: the name in lower case, and none of the fields that are the
  /// connection's own or were read into the framing (RFC 9113 section 8.2).
  ///
  /// Bytes of a value that are no UTF-8 are replaced: the library that writes HTTP/2 takes text.
  public func forEachHTTP2Field(_ body: (_ name: String, _ value: String, _ known: KnownField?) -> Void) {
    for field in self {
      switch field.known {
      case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade, .te, .contentLength: continue
      default: body(field.lowercasedName, field.value, field.known)
      }
    }
  }
}

extension HeaderFields.Field {
  fileprivate var lowercasedName: String {
    self.withName { bytes in
      String(unsafeUninitializedCapacity: bytes.count) { name in
        for index in 0..<bytes.count { name.initializeElement(at: index, to: FieldBytes.lowercased(bytes[index])) }
        return bytes.count
      }
    }
  }
}

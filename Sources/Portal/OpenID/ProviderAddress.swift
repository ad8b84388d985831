/// An address at a provider that a browser is led to, with what is asked for in its query.
public enum ProviderAddress {
  /// - Parameters:
  ///   - endpoint: as the provider's metadata has it; a query that it has is kept (RFC 6749 section 3.1)
  ///   - parameters: in their order
  public static func with(_ parameters: [(name: String, value: String)], at endpoint: String) -> String {
    let query = parameters.map { "\(self.escaped($0.name))=\(self.escaped($0.value))" }.joined(separator: "&")
    return endpoint + (endpoint.contains("?") ? endpoint.hasSuffix("?") || endpoint.hasSuffix("&") ? "" : "&" : "?") + query
  }

  /// Everything but the unreserved characters (RFC 3986 section 2.3).
  private static func escaped(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
        bytes.append(byte)
      default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 0xF)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

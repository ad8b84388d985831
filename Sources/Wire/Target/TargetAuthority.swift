import NIOCore

/// The parts of an absolute target before its path (RFC 3986 sections 3.1 and 3.2).
///
/// They decide nothing at the API server, so they are read strictly: what is no plain authority is refused.
enum TargetAuthority {
  /// The index behind `scheme:`, or `nil` where the bytes do not begin with one.
  ///
  /// ```
  /// scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )
  /// ```
  static func schemeEnd(_ bytes: ByteBufferView) -> Int? {
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), let first = bytes.first, self.isLetter(first) else { return nil }
    let isScheme = bytes[..<colon].allSatisfy { self.isLetter($0) || self.isDigit($0) || "+-.".utf8.contains($0) }
    return isScheme ? colon + 1 : nil
  }

  /// Host and port of `[userinfo "@"] host [":" port]`, in lower case; `nil` where it is none.
  static func withoutUserInformation(_ bytes: ByteBufferView) -> String? {
    guard let at = bytes.lastIndex(of: UInt8(ascii: "@")) else { return self.hostAndPort(bytes)?.text }
    guard bytes[..<at].allSatisfy({ self.isAuthorityByte($0) || $0 == UInt8(ascii: "@") }) else { return nil }
    return self.hostAndPort(bytes[(at + 1)...])?.text
  }

  /// `host [":" port]`, the host a name, an IPv4 address or an IPv6 address in brackets.
  static func hostAndPort(_ bytes: ByteBufferView) -> (text: String, hasPort: Bool)? {
    var host = bytes
    var port: ByteBufferView?
    if let colon = bytes.lastIndex(of: UInt8(ascii: ":")), !bytes[colon...].contains(UInt8(ascii: "]")) {
      host = bytes[..<colon]
      port = bytes[(colon + 1)...]
    }
    guard !host.isEmpty, host.allSatisfy(self.isAuthorityByte), port?.allSatisfy(self.isDigit) ?? true else { return nil }
    let isBracketed = host.first == UInt8(ascii: "[") && host.last == UInt8(ascii: "]")
    let inner = isBracketed ? host.dropFirst().dropLast() : host
    guard !inner.contains(where: { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "]") }) else { return nil }
    guard isBracketed || !inner.contains(UInt8(ascii: ":")) else { return nil }
    let text = String(decoding: bytes.lazy.map(FieldBytes.lowercased), as: UTF8.self)
    return (text, port?.isEmpty == false)
  }

  /// unreserved / sub-delims / pct-encoded / ":" / "[" / "]"
  private static func isAuthorityByte(_ byte: UInt8) -> Bool {
    self.isLetter(byte) || self.isDigit(byte) || "-._~!$&'()*+,;=%:[]".utf8.contains(byte)
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}

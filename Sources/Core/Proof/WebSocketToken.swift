import SallyportWire

/// A bearer token among the protocols of a WebSocket: browsers can send no other field with one.
///
/// The entry is `base64url.bearer.authorization.k8s.io.TOKEN`, the token in base64url without padding. See
/// k8s.io/apiserver, pkg/authentication/request/websocket.
enum WebSocketToken {
  private static let prefix = Array("base64url.bearer.authorization.k8s.io.".utf8)

  /// Takes the token out of `Sec-WebSocket-Protocol`, so that it never reaches an upstream; the other protocols stay, in
  /// one field.
  ///
  /// - Returns: `Bearer TOKEN`; `nil` where there is no such entry
  /// - Throws: ``Problem/brokenWebSocketToken`` for several tokens, and for one that is not base64url of visible ASCII.
  static func take(from fields: inout HeaderFields) throws(Problem) -> Secret? {
    let entries = fields.all(.secWebSocketProtocol).flatMap(\.listElements)
    let tokens = entries.filter(self.isToken)
    guard let entry = tokens.first else { return nil }
    guard tokens.count == 1, let token = self.base64url(entry.dropFirst(self.prefix.count)), !token.isEmpty,
      token.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else { throw .brokenWebSocketToken }

    fields.removeAll(KnownFields(.secWebSocketProtocol))
    let others = entries.filter { !self.isToken($0) }.map { String(decoding: $0, as: UTF8.self) }
    if !others.isEmpty {
      do {
        try fields.append(KnownField.secWebSocketProtocol.name, others.joined(separator: ", "))
      } catch {
        throw .brokenWebSocketToken
      }
    }
    return Secret(Array("Bearer ".utf8) + token)
  }

  /// The prefix counts in any letter case here, so that no spelling of a token is passed on.
  private static func isToken(_ entry: [UInt8]) -> Bool {
    entry.count >= self.prefix.count
      && zip(entry, self.prefix).allSatisfy { $0 == $1 || $0 | 0x20 == $1 && $1 >= UInt8(ascii: "a") && $1 <= UInt8(ascii: "z") }
  }

  /// Base64url without padding (RFC 4648 section 5), its unused bits zero.
  private static func base64url(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    var bits: UInt32 = 0
    var bitCount = 0
    for character in text {
      guard let digit = self.digit(character) else { return nil }
      bits = bits << 6 | UInt32(digit)
      bitCount += 6
      if bitCount >= 8 {
        bitCount -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
        bits &= 1 << UInt32(bitCount) - 1
      }
    }
    return bits == 0 && bitCount < 6 ? bytes : nil
  }

  private static func digit(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
    case UInt8(ascii: "-"): 62
    case UInt8(ascii: "_"): 63
    default: nil
    }
  }
}

extension Problem {
  static let brokenWebSocketToken = Problem(
    "brokenWebSocketToken", blame: .client, status: 400,
    message: "The bearer token in Sec-WebSocket-Protocol is not one token in base64url without padding.")
}

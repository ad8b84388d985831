import Crypto
import NIOCore

/// A request URI as a record shows it: without the secrets that clients put into queries, and not without end.
struct RequestURI {
  /// What an evidence keeper needs of a URI that was cut.
  struct Cut {
    /// Bytes of the URI as it was sent.
    let length: Int
    /// SHA-256 of the whole URI after redaction: over the unredacted one, a guessed password could be confirmed.
    let sha256: SHA256.Digest
  }

  /// Writes the URI into a JSON string.
  ///
  /// - Returns: length and hash where it was cut, else `nil`
  static func write(_ uri: UnsafeRawBufferPointer, to line: inout LineBytes) -> Cut? {
    let redacted = URIRedaction.redact(uri)
    guard redacted != nil || uri.count > RecordLimits.requestURI else {
      JSONText.plain.write(uri, to: &line)
      return nil
    }
    return (redacted ?? ByteBuffer(bytes: uri)).withUnsafeReadableBytes { shown in
      guard line.writeText(shown, limit: RecordLimits.requestURI) else { return nil }
      return Cut(length: uri.count, sha256: SHA256.hash(data: shown))
    }
  }
}

/// Takes secrets out of a request URI.
///
/// Replaced by `REDACTED` are the values of query and fragment parameters whose name speaks of a secret
/// (``isSecret(name:)``), and a user name and password in front of a host. Nothing else of the URI changes.
enum URIRedaction {
  private static let placeholder: StaticString = "REDACTED"

  /// - Returns: the URI without its secrets, or `nil` where it has none
  static func redact(_ uri: UnsafeRawBufferPointer) -> ByteBuffer? {
    let secrets = self.secrets(in: uri)
    guard !secrets.isEmpty else { return nil }
    var result = ByteBuffer()
    var copied = 0
    for secret in secrets {
      result.writeBytes(UnsafeRawBufferPointer(rebasing: uri[copied..<secret.lowerBound]))
      result.writeStaticString(self.placeholder)
      copied = secret.upperBound
    }
    result.writeBytes(UnsafeRawBufferPointer(rebasing: uri[copied...]))
    return result
  }

  /// Where the secrets stand, in order.
  private static func secrets(in uri: UnsafeRawBufferPointer) -> [Range<Int>] {
    var found: [Range<Int>] = []
    if uri.first != UInt8(ascii: "/"), let userInfo = self.userInfo(in: uri) { found.append(userInfo) }
    guard var position = uri.firstIndex(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }) else { return found }
    // `position` is at the delimiter in front of a parameter.
    while position < uri.count {
      let name = position + 1
      var end = name
      while end < uri.count, !self.isDelimiter(uri[end]), uri[end] != UInt8(ascii: "=") { end += 1 }
      guard end < uri.count, uri[end] == UInt8(ascii: "=") else {
        position = end
        continue
      }
      let value = end + 1
      let isSecret = self.isSecret(name: UnsafeRawBufferPointer(rebasing: uri[name..<end]))
      // `;` ends a parameter for some servers and is part of its value for others: a secret goes on to the `&`.
      position = value
      while position < uri.count, isSecret ? uri[position] != UInt8(ascii: "&") : !self.isDelimiter(uri[position]) { position += 1 }
      if isSecret, position > value { found.append(value..<position) }
    }
    return found
  }

  private static func isDelimiter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "&"), UInt8(ascii: ";"), UInt8(ascii: "?"), UInt8(ascii: "#"): true
    default: false
    }
  }

  /// `user:password` of `scheme://user:password@host/…`, also where there is no scheme.
  private static func userInfo(in uri: UnsafeRawBufferPointer) -> Range<Int>? {
    let scheme = uri.indices.dropLast(2).first {
      uri[$0] == UInt8(ascii: ":") && uri[$0 + 1] == UInt8(ascii: "/") && uri[$0 + 2] == UInt8(ascii: "/")
    }
    let isEnd = { (byte: UInt8) in byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#") }
    let firstEnd = uri.firstIndex(where: isEnd) ?? uri.count
    // A `://` that stands behind the first slash or question mark is no scheme's.
    let start = scheme.flatMap { $0 < firstEnd ? $0 + 3 : nil } ?? 0
    let end = uri[start...].firstIndex(where: isEnd) ?? uri.count
    guard let at = uri[start..<end].lastIndex(of: UInt8(ascii: "@")), at > start else { return nil }
    return start..<at
  }

  /// Whether a parameter's name, percent-encoded or not, says that its value is a secret.
  ///
  /// Only the letters and digits of the name count, in either case, so that `client_secret`, `clientSecret`,
  /// `%63lient-secret` and `oauth[client_secret]` are one name. Escapes are undone until none is left, because a server
  /// behind a server may do so.
  static func isSecret(name: UnsafeRawBufferPointer) -> Bool {
    guard !name.isEmpty else { return false }
    return withUnsafeTemporaryAllocation(byteCount: name.count, alignment: 1) { folded in
      var decoded = 0
      for byte in name {
        folded[decoded] = byte
        decoded += 1
        // What was just undone may complete another escape: `%2541` is `%41` is `A`.
        while decoded >= 3, folded[decoded - 3] == UInt8(ascii: "%"), let high = Hexadecimal.value(folded[decoded - 2]),
          let low = Hexadecimal.value(folded[decoded - 1])
        {
          decoded -= 2
          folded[decoded - 1] = high << 4 | low
        }
      }
      var kept = 0
      for index in 0..<decoded {
        switch folded[index] {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): folded[kept] = folded[index]
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): folded[kept] = folded[index] | 0x20
        default: continue
        }
        kept += 1
      }
      return self.speaksOfSecret(UnsafeRawBufferPointer(rebasing: folded[..<kept]))
    }
  }

  private static func speaksOfSecret(_ name: UnsafeRawBufferPointer) -> Bool {
    for word in self.wholeNames where name.count == word.utf8CodeUnitCount && name.hasWord(word, at: 0) { return true }
    for position in name.indices {
      switch name[position] {
      case UInt8(ascii: "t"): if name.hasWord("token", at: position) { return true }
      case UInt8(ascii: "s"): if name.hasWord("secret", at: position) || name.hasWord("signature", at: position) { return true }
      case UInt8(ascii: "p"): if name.hasWord("passw", at: position) || name.hasWord("passphrase", at: position) { return true }
      case UInt8(ascii: "c"): if name.hasWord("credential", at: position) { return true }
      case UInt8(ascii: "a"):
        if name.hasWord("apikey", at: position) || name.hasWord("accesskey", at: position) || name.hasWord("assertion", at: position) {
          return true
        }
      case UInt8(ascii: "b"): if name.hasWord("bearer", at: position) { return true }
      case UInt8(ascii: "j"): if name.hasWord("jwt", at: position) { return true }
      default: break
      }
    }
    return false
  }

  /// Names that are too short or too common to be looked for inside another. `return` is the sign-in page's: a whole target, with
  /// a query of its own.
  private static let wholeNames: [StaticString] = [
    "code", "codeverifier", "pwd", "pass", "auth", "authorization", "sig", "otp", "ticket", "session", "sessionid", "sid", "samlresponse",
    "return",
  ]
}

extension UnsafeRawBufferPointer {
  fileprivate func hasWord(_ word: StaticString, at position: Int) -> Bool {
    guard position + word.utf8CodeUnitCount <= self.count else { return false }
    for offset in 0..<word.utf8CodeUnitCount where self[position + offset] != word.utf8Start[offset] { return false }
    return true
  }
}

/// Redaction for readers of other logs, whose URIs are held against ours.
package enum RequestURIRedaction {
  package static func redacted(_ uri: String) -> String {
    uri.withBytes { URIRedaction.redact($0) }.map { String(buffer: $0) } ?? uri
  }
}

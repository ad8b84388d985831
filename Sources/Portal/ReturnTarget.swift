import SallyportWire

/// Where somebody goes on to behind the sign-in page: a path of this very host, and nothing that some browser could read as
/// another place.
///
/// Open redirects are found where a check reads a text otherwise than a browser does. So there is no attempt to understand
/// one: only what can be read in one way passes, everything else leads to `/`.
public enum ReturnTarget {
  /// Where everything else leads to.
  public static let root = "/"
  static let longest = 2048

  /// The target that a form or a query names, if it is one.
  ///
  /// ```
  /// target = "/" [ segment *( "/" segment ) ] [ "?" query ]
  /// ```
  /// Visible ASCII without backslash, quotes, angle brackets, braces, `^`, `` ` ``, `|` and `#`; every `%` begins an escape; no
  /// segment is empty (but the last) or made of dots, also once its escapes are undone; and no escape hides a control
  /// character, a slash at the beginning, a backslash or another escape in the path.
  public static func checked(_ text: String?) -> String {
    guard let text, text.utf8.count <= self.longest, text.utf8.first == UInt8(ascii: "/"), text.utf8.allSatisfy(self.isPlain) else {
      return self.root
    }
    let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard let path = PercentEncoding.decode(parts[0].utf8), parts.count == 1 || PercentEncoding.decode(parts[1].utf8) != nil,
      self.isOneWay(path), !self.isOwn(path)
    else { return self.root }
    return text
  }

  /// What RFC 3986 lets stand in a path or a query, and nothing that needs an escape.
  private static func isPlain(_ byte: UInt8) -> Bool {
    guard byte > 0x20, byte < 0x7F else { return false }
    switch byte {
    case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "{"), UInt8(ascii: "}"),
      UInt8(ascii: "^"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "#"):
      return false
    default: return true
    }
  }

  private static func isOneWay(_ path: [UInt8]) -> Bool {
    guard path.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\\") && $0 != UInt8(ascii: "%") }) else { return false }
    let segments = path.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    return segments.dropLast().allSatisfy { !$0.isEmpty && !self.isDots($0) } && !self.isDots(segments.last ?? [])
  }

  private static func isDots(_ segment: ArraySlice<UInt8>) -> Bool { segment.elementsEqual(".".utf8) || segment.elementsEqual("..".utf8) }

  /// Nobody is led back to the pages by which one comes and goes.
  private static func isOwn(_ path: [UInt8]) -> Bool {
    let own = Array("/.sallyport".utf8)
    guard path.starts(with: own), path.count == own.count || path[own.count] == UInt8(ascii: "/") else { return false }
    return !path.elementsEqual("/.sallyport/whoami".utf8)
  }

  /// The sign-in page's path and query that lead there.
  public static func signInPath(returningTo target: String) -> String {
    let checked = self.checked(target)
    return checked == self.root ? "/.sallyport/sign-in" : "/.sallyport/sign-in?return=\(PercentEncoding.encode(checked, keeping: "/"))"
  }
}

/// The parameters of a list request that change what kind of request it is: `watch` and `fieldSelector`.
///
/// Follows Go's `url.ParseQuery` and the conversions of k8s.io/apimachinery for `ListOptions`: pairs end at `&` alone, one
/// that holds a `;` or a broken escape is dropped, names are compared as they are spelled, and the first value counts.
///
/// One thing is left out: a `labelSelector` that cannot be read makes the server forget the `fieldSelector`'s name. It
/// then answers 400, so nothing hangs on the name.
struct ListQuery {
  /// Whether the server answers with a stream of changes: `watch` is there, and its first value is neither `0` nor
  /// `false` in any letter case.
  let watches: Bool
  /// The name that `fieldSelector` pins, if it does.
  let name: String?

  init(_ query: String?) {
    var first: [Parameter: String] = [:]
    for pair in (query ?? "").utf8.split(separator: UInt8(ascii: "&")) where !pair.contains(UInt8(ascii: ";")) {
      let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
      guard let parameter = Self.decode(pair[..<equals]).flatMap(Parameter.init), first[parameter] == nil else { continue }
      first[parameter] = Self.decode(pair[equals...].dropFirst())
    }
    self.watches = first[.watch].map { $0 != "0" && !Self.isFalse($0) } ?? false
    // A parameter that the server cannot read makes it forget all of them but `watch`; it then answers 400.
    let isReadable = [first[.limit], first[.timeoutSeconds]].allSatisfy { $0.map { Int64($0) != nil } ?? true }
    self.name = isReadable ? first[.fieldSelector].flatMap(FieldSelector.requiredName) : nil
  }

  private enum Parameter: String {
    case watch, fieldSelector, limit, timeoutSeconds
  }

  /// `false` as Go's `strings.EqualFold` compares it: in any letter case, and the long s (U+017F) is an s.
  private static func isFalse(_ value: String) -> Bool {
    value.unicodeScalars.lazy.map { $0 == "\u{17F}" ? "s" : $0.properties.lowercaseMapping }.joined() == "false"
  }

  /// A key or value without its escapes, `+` as a blank; `nil` where an escape is broken.
  private static func decode(_ bytes: Substring.UTF8View) -> String? {
    guard bytes.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else { return String(Substring(bytes)) }
    let blanks = bytes.lazy.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 }
    return PercentEncoding.decode(blanks).map { String(decoding: $0, as: UTF8.self) }
  }
}

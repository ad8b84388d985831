import SallyportWire

/// The cookies of the gateway's own that a request presents. They are taken out of the request at the door, so that no
/// upstream ever sees one.
///
/// The prefix `__Host-` has browsers take such a cookie from this host alone, over TLS, for all its paths (RFC 6265bis
/// section 4.1.3.2): no other host of the same domain can plant one.
public struct OwnCookies: Sendable {
  /// Whose value is a session's ID.
  public static let sessionName = "__Host-sallyport-session"
  /// Whose value binds the forms of the gateway's pages to one browser.
  public static let browserName = "__Host-sallyport-browser"
  /// What the names begin with whose values are sign-ins that lead by way of a provider, one for each that has begun.
  public static let flowPrefix = "__Host-sallyport-flow-"
  /// What all of the names begin with, folded (``NameFolding``).
  private static let foldedPrefix = Array("--host-sallyport-".utf8)

  /// The values that came as the session's cookie, in their order. A browser sends at most one.
  public let sessions: [Secret]
  public let browsers: [Secret]
  /// The sign-ins that have begun, by what their names end with.
  public let flows: [(name: String, value: Secret)]

  /// Takes every cookie of ours out of the fields, in every spelling that a server might fold into ours; the other cookies
  /// stay as they were sent. Only the exact names are believed.
  ///
  /// ```
  /// cookie-string = cookie-pair *( ";" SP cookie-pair )
  /// cookie-pair   = cookie-name "=" cookie-value
  /// ```
  /// - Returns: `nil` where there was none
  static func take(from fields: inout HeaderFields) -> OwnCookies? {
    let cookies = fields.all(.cookie)
    guard cookies.contains(where: { $0.withValue(Self.mayHoldOne) }) else { return nil }
    var sessions: [Secret] = []
    var browsers: [Secret] = []
    var flows: [(name: String, value: Secret)] = []
    var kept: [[UInt8]] = []
    var isChanged = false
    for field in cookies {
      var others: [ArraySlice<UInt8>] = []
      for pair in field.withValue({ Array($0) }).split(separator: UInt8(ascii: ";")).map(self.trimmed) {
        let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
        let name = self.trimmed(pair[..<equals])
        guard self.isOwn(name) else {
          others.append(pair)
          continue
        }
        isChanged = true
        let value = Secret(self.trimmed(pair[min(equals + 1, pair.endIndex)...]))
        if name.elementsEqual(self.sessionName.utf8) { sessions.append(value) }
        if name.elementsEqual(self.browserName.utf8) { browsers.append(value) }
        if name.starts(with: self.flowPrefix.utf8) {
          flows.append((String(decoding: name.dropFirst(self.flowPrefix.utf8.count), as: UTF8.self), value))
        }
      }
      if !others.isEmpty { kept.append(Array(others.joined(separator: [UInt8(ascii: ";"), UInt8(ascii: " ")]))) }
    }
    guard isChanged else { return nil }
    fields.removeAll(KnownFields(.cookie))
    for value in kept {
      do {
        try fields.append("Cookie", bytes: value)
      } catch {
        // A part of what was a value is one.
        assertionFailure("\(error)")
      }
    }
    return OwnCookies(sessions: sessions, browsers: browsers, flows: flows)
  }

  /// Whether an upstream's `Set-Cookie` would plant one of ours: a session of its own choice, or the end of a good one.
  ///
  /// A cookie may have no name: `=NAME=VALUE` sets one whose value browsers send as `NAME=VALUE` (RFC 6265bis section 5.7), and
  /// who reads that sees the name.
  public static func isPlanted(bySetCookie value: UnsafeRawBufferPointer) -> Bool {
    var pair = self.trimmed(Array(value.prefix { $0 != UInt8(ascii: ";") })[...])
    while pair.first == UInt8(ascii: "=") { pair = self.trimmed(pair.dropFirst()) }
    return self.isOwn(self.trimmed(pair.prefix { $0 != UInt8(ascii: "=") }))
  }

  private static func mayHoldOne(_ value: UnsafeRawBufferPointer) -> Bool {
    guard value.count >= self.foldedPrefix.count else { return false }
    return (0...(value.count - self.foldedPrefix.count)).contains { start in
      self.isOwn(value[start..<(start + self.foldedPrefix.count)])
    }
  }

  private static func isOwn(_ name: some RandomAccessCollection<UInt8>) -> Bool {
    name.count >= self.foldedPrefix.count && zip(name, self.foldedPrefix).allSatisfy { NameFolding.fold($0) == $1 }
  }

  private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
    guard let first = bytes.firstIndex(where: { !isBlank($0) }), let last = bytes.lastIndex(where: { !isBlank($0) }) else { return [] }
    return bytes[first...last]
  }
}

/// How an upstream reads paths, and so which spellings are one way only there.
public enum PathReading: Sendable, Hashable {
  /// As kube-apiserver does: what it serves under an unusual spelling is understood, everything else unusual is refused.
  case kubernetes
  /// No Kubernetes object is read into the path, and every ambiguous spelling is refused.
  case generic
}

extension RequestTarget {
  /// Why the target cannot be read one way only at an upstream of this kind; `nil` when it can.
  ///
  /// The answer is 400, and the reason may be shown to the client.
  ///
  /// Refused everywhere, because kube-apiserver itself serves none of it, no client of it sends it, and other readers
  /// (a cache, a web server, a log tool, an aggregated API server) each make something else of it:
  /// - `#`: Go takes it for a part of the name, most others end the target there;
  /// - a dot segment, raw or encoded: Go keeps it as a name, most others climb;
  /// - a backslash: some take it for a slash;
  /// - a control character: some end the path at NUL or a line end, and logs break at it;
  /// - bytes that are no UTF-8: decoders that are lax find a slash or dot in overlong ones, others replace them;
  /// - slashes that open the path twice: some read a host name behind them, some merge them;
  /// - two slashes within: some merge them.
  ///
  /// A Kubernetes upstream understands, and so do we: slashes at the end; `%2F` for a slash and any other letter that is
  /// encoded; the empty namespace of `namespaces//RESOURCE`, by which clients say all namespaces. Behind a `proxy`
  /// subresource the path is the backend's, and two slashes there change nothing of what is asked of the API server.
  ///
  /// More parameters than Go's `net/url` takes (10,000) are refused too: newer servers then read none of them, and a watch
  /// is a list.
  ///
  /// A generic upstream's reading is unknown, so that an encoded slash or dot is refused there too, and so are an escape that
  /// was escaped itself and a segment of `;` parameters alone.
  public func ambiguity(for reading: PathReading) -> MalformedMessage? {
    if self.oddities.isEmpty { return nil }
    if self.oddities.contains(.fragment) { return .fragmentInTarget }
    if self.oddities.contains(.dotSegment) { return .dotSegmentInTarget }
    if self.oddities.contains(.backslash) { return .backslashInTarget }
    if self.oddities.contains(.controlCharacter) { return .controlCharacterInTarget }
    if self.oddities.contains(.invalidUTF8) { return .invalidUTF8InTarget }
    if self.oddities.contains(.doubleLeadingSlash) { return .doubleLeadingSlashInTarget }
    if self.oddities.contains(.tooManyParameters) { return .tooManyParametersInTarget }
    switch reading {
    case .kubernetes:
      if self.oddities.contains(.emptySegment) && !self.emptySegmentsAreUnderstood { return .emptySegmentInTarget }
    case .generic:
      if self.oddities.contains(.emptySegment) { return .emptySegmentInTarget }
      if self.oddities.contains(.encodedSlash) { return .encodedSlashInTarget }
      if self.oddities.contains(.encodedDot) { return .encodedDotInTarget }
      if self.oddities.contains(.doubleEscape) { return .doubleEscapeInTarget }
      if self.oddities.contains(.bareParameters) { return .bareParametersInTarget }
    }
    return nil
  }

  /// Whether every empty segment is the namespace's, or lies behind a `proxy` subresource.
  private var emptySegmentsAreUnderstood: Bool {
    // Where the parts begin does not depend on the method.
    let info = RequestInfo(method: .get, target: self)
    var path = self.path
    return path.withUTF8 { bytes in
      let segments = PathSegments(UnsafeRawBufferPointer(bytes))
      let resource = segments.count - info.parts.count
      return (0..<segments.count).allSatisfy { index in
        guard segments.bytes(index).isEmpty else { return true }
        let isNamespace = index == resource - 1 && segments.equals(index - 1, "namespaces") && !info.apiVersion.isEmpty
        let isBehindProxy = index > resource + 2 && info.subresource == "proxy"
        return isNamespace || isBehindProxy
      }
    }
  }
}

extension MalformedMessage {
  static let fragmentInTarget = MalformedMessage(
    "The request target holds a #, which servers read in two ways; leave the fragment out, or write %23 for a # in a name.")
  static let dotSegmentInTarget = MalformedMessage(
    "The path holds a segment . or .., which servers read in two ways; send the path that you mean.")
  static let backslashInTarget = MalformedMessage(
    "The path holds a backslash, which some servers take for a slash; separate segments by /.")
  static let controlCharacterInTarget = MalformedMessage(
    "The path holds an encoded control character; no name has one, so leave it out.")
  static let invalidUTF8InTarget = MalformedMessage(
    "The path is not UTF-8, so that servers may read other characters into it; encode names as UTF-8.")
  static let doubleLeadingSlashInTarget = MalformedMessage(
    "The path begins with two slashes, behind which some servers read a host name; begin it with one.")
  static let emptySegmentInTarget = MalformedMessage(
    "Two slashes stand side by side in the path, which some servers merge; write one.")
  static let tooManyParametersInTarget = MalformedMessage(
    "The query has more than 10000 parameters, of which some servers then read none; send fewer.")
  static let encodedSlashInTarget = MalformedMessage(
    "The path holds a slash written %2F, which servers read in two ways; separate segments by /.")
  static let doubleEscapeInTarget = MalformedMessage(
    "The path holds an escape that was escaped itself (%25 and two digits), which servers decode once or twice; send it once encoded.")
  static let bareParametersInTarget = MalformedMessage(
    "The path holds a segment that begins with a semicolon, which some servers take for an empty one; leave it out.")
  static let encodedDotInTarget = MalformedMessage(
    "The path holds a dot written %2E, which servers read in two ways; write the dot itself.")
}

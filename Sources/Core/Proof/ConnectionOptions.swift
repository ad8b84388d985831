import SallyportWire

/// What `Connection` says of this connection, and which other fields it takes along (RFC 9110 section 7.6.1).
///
/// A client that could name any field here could make us drop one that is decided by: an identity (CVE-2021-31999), the
/// `Origin` of a browser, a length. Fields that some station reads are therefore not to be named.
struct ConnectionOptions {
  /// Whether `Upgrade` is among the options.
  private(set) var namesUpgrade = false
  /// Names of fields that no station knows, folded (``NameFolding``).
  private var others: Set<[UInt8]> = []

  /// Reads one `Connection` field; there may be several.
  ///
  /// - Throws: ``Problem/connectionNamesField``
  mutating func read(_ field: HeaderFields.Field) throws(Problem) {
    for option in field.listElements {
      guard let known = option.withUnsafeBytes({ KnownField(nameBytes: $0) }) else {
        self.others.insert(option.map(NameFolding.fold))
        continue
      }
      guard known.isHopByHop && !known.isIdentity else {
        throw .connectionNamesField.with(detail: "Connection names \(known.name)")
      }
      if known == .upgrade { self.namesUpgrade = true }
    }
  }

  /// Whether fields are named that no station knows.
  var namesOtherFields: Bool { !self.others.isEmpty }

  /// Whether the options name this field, which no station knows, in some spelling.
  func names(_ field: HeaderFields.Field) -> Bool {
    field.known == nil && self.others.contains(field.withName { $0.map(NameFolding.fold) })
  }
}

extension Problem {
  static let connectionNamesField = Problem(
    "connectionNamesField", blame: .client, status: 400,
    message: "The Connection header names a field that is not for this connection alone; leave it out of Connection.")
}

/// How objects are written into an answer.
enum Representation: Sendable, Hashable {
  case plain
  /// `meta.k8s.io` Table, each row with the object's metadata, the whole object, or nothing.
  case table(IncludedObject, version: String)
  case partialMetadata(version: String)

  enum IncludedObject: String, Sendable { case none = "None", metadata = "Metadata", object = "Object" }

  static let onlyJSON = "only the following media types are accepted: application/json"

  /// Chooses by the request's `Accept`, as apiserver's `negotiation.NegotiateOutputMediaType`: the clauses are tried by
  /// their weight, and one that asks for a form which the answer cannot take ends the search with 406.
  ///
  /// - Parameter isList: whether the answer is a list, which decides between the two metadata kinds
  init(accept: String?, query: GoQuery, isList: Bool) throws(APIError) {
    for clause in MediaType.clauses(accept ?? "") where clause.matchesJSON {
      guard let form = clause.parameters["as"] else {
        self = .plain
        return
      }
      let version = clause.parameters["v"] ?? ""
      guard clause.parameters["g"] == "meta.k8s.io", version == "v1" || version == "v1beta1" else { continue }
      switch form {
      case "Table":
        guard let included = IncludedObject(rawValue: query["includeObject"] ?? "Metadata") else {
          throw .badRequest("unrecognized includeObject value: \((query["includeObject"] ?? "").quoted)")
        }
        self = .table(included, version: version)
        return
      case "PartialObjectMetadata":
        guard !isList else { throw .notAcceptable("you requested PartialObjectMetadata, but the requested object is a list") }
        self = .partialMetadata(version: version)
        return
      case "PartialObjectMetadataList":
        guard isList else {
          throw .notAcceptable("you requested PartialObjectMetadataList, but the requested object is not a list")
        }
        self = .partialMetadata(version: version)
        return
      default: continue
      }
    }
    throw .notAcceptable(Self.onlyJSON)
  }
}

/// One clause of an `Accept` field, or a `Content-Type`.
struct MediaType: Sendable, Hashable {
  let type: String
  let subtype: String
  let parameters: [String: String]
  let weight: Double

  init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ";", omittingEmptySubsequences: false).map { $0.trimmingBlanks }
    let names = parts[0].split(separator: "/", omittingEmptySubsequences: false)
    guard names.count == 2, !names[0].isEmpty, !names[1].isEmpty else { return nil }
    self.type = names[0].lowercased()
    self.subtype = names[1].lowercased()
    var parameters: [String: String] = [:]
    for part in parts.dropFirst() {
      let halves = part.split(separator: "=", maxSplits: 1)
      if halves.count == 2 { parameters[halves[0].lowercased()] = String(halves[1]) }
    }
    self.weight = parameters["q"].flatMap(Double.init) ?? 1
    self.parameters = parameters
  }

  var name: String { "\(self.type)/\(self.subtype)" }

  var matchesJSON: Bool {
    self.weight > 0 && (self.name == "application/json" || self.name == "application/*" || self.name == "*/*")
  }

  /// The clauses of an `Accept` field by falling weight; an empty field accepts anything.
  static func clauses(_ accept: String) -> [MediaType] {
    let spelled = accept.split(separator: ",").compactMap { MediaType($0) }
    let clauses = accept.trimmingBlanks.isEmpty ? [MediaType("*/*")].compactMap { $0 } : spelled
    // The sort must be stable: among equal weights the first one wins.
    return clauses.enumerated().sorted { ($1.element.weight, $0.offset) < ($0.element.weight, $1.offset) }.map(\.element)
  }
}

extension StringProtocol {
  var trimmingBlanks: String {
    var rest = Substring(self)
    while let first = rest.first, first.isWhitespace { rest.removeFirst() }
    while let last = rest.last, last.isWhitespace { rest.removeLast() }
    return String(rest)
  }
}

/// The list of a server's v3 documents, as `/openapi/v3` gives it, with a hash of each so that only what changed need be
/// fetched. See k8s.io/kube-openapi, pkg/handler3.
public struct OpenAPIIndex: Sendable, Hashable {
  public struct Entry: Sendable, Hashable {
    public let key: OpenAPIIndexKey
    /// Changes with the document; empty where the server gives none.
    public let hash: String
  }

  /// In the order of ``OpenAPIIndexKey/isBefore(_:)``.
  public let entries: [Entry]
  /// Entries that were left out.
  public let warnings: [OpenAPIFault]

  /// The most bytes of an index.
  public static let mostBytes = 4 * 1024 * 1024
  /// The most documents.
  public static let mostEntries = 2000

  /// Reads an index.
  ///
  /// - Throws: ``OpenAPIFaults`` for what is no index.
  public init(_ bytes: [UInt8], name: String) throws(OpenAPIFaults) {
    func fault(_ pointer: JSONPointer, _ message: String) -> OpenAPIFault { OpenAPIFault(document: name, pointer: pointer, message) }
    let root: DocumentValue
    do {
      root = try JSONDocument.read(bytes, limits: OpenAPILimits(bytes: Self.mostBytes)).root
    } catch {
      throw OpenAPIFaults(fault(error.pointer, error.message))
    }
    guard let paths = root["paths"], paths.kind == .object else {
      throw OpenAPIFaults(fault(.root, "is no index of OpenAPI documents: it has no `paths`"))
    }
    guard paths.count <= Self.mostEntries else {
      throw OpenAPIFaults(fault(paths.pointer, "names more than \(Self.mostEntries) documents"))
    }
    var entries: [Entry] = []
    var warnings: [OpenAPIFault] = []
    for member in paths.members {
      guard let key = OpenAPIIndexKey(member.key) else {
        warnings.append(fault(member.value.pointer, "is no path of an API, and is left out"))
        continue
      }
      guard let address = member.value["serverRelativeURL"]?.text else {
        warnings.append(fault(member.value.pointer, "has no `serverRelativeURL`, and is left out"))
        continue
      }
      entries.append(Entry(key: key, hash: Self.hash(in: address)))
    }
    self.entries = entries.sorted { $0.key.isBefore($1.key) }
    self.warnings = warnings
  }

  /// The value of `hash` in the address. Nothing else of the address is used: the document is asked for by its key, so
  /// that no answer can send us elsewhere.
  private static func hash(in address: String) -> String {
    guard let query = address.firstIndex(of: "?") else { return "" }
    for parameter in address[query...].dropFirst().split(separator: "&") where parameter.hasPrefix("hash=") {
      return String(parameter.dropFirst("hash=".count).prefix(1024))
    }
    return ""
  }
}

/// A document's name in the v3 index, which is also the path that it speaks for: `api/v1`, `apis/apps/v1`, `version`.
public struct OpenAPIIndexKey: Sendable, Hashable, CustomStringConvertible {
  public let description: String

  /// `nil` for text that is no plain path: other characters than letters, digits, `-`, `.` and `_`, dot segments, empty
  /// segments, more than eight segments or 512 bytes.
  public init?(_ text: String) {
    let segments = text.split(separator: "/", omittingEmptySubsequences: false)
    guard text.utf8.count <= 512, segments.count <= 8, segments.allSatisfy(Self.isPlain) else { return nil }
    self.description = text
  }

  /// Where the document is served.
  public var target: String { "/openapi/v3/\(self.description)" }

  /// The core group's version 1: the document that every Kubernetes has.
  public var isCore: Bool { self.description == "api/v1" }

  /// Whether the document may describe a path.
  ///
  /// A document of a group and version speaks for what lies below its own path, one of another path of the API (`apis`,
  /// `apis/apps`) for that path alone, and one that is not of the API (`version`, `openid/v1/jwks`) for its path and what
  /// lies below it. So an aggregated API cannot describe the secrets of the core group.
  public func covers(_ path: String) -> Bool {
    let own = "/\(self.description)"
    guard path.utf8.starts(with: own.utf8) else { return false }
    let rest = path.utf8.dropFirst(own.utf8.count)
    if rest.isEmpty || rest.elementsEqual("/".utf8) { return true }
    let segments = self.description.split(separator: "/")
    let speaksForMore =
      switch segments[0] {
      case "api": segments.count == 2
      case "apis": segments.count == 3
      default: true
      }
    return speaksForMore && rest.first == UInt8(ascii: "/")
  }

  /// Whether what the document says goes before what a later one says.
  ///
  /// The core group comes first, then the groups that only the Kubernetes project may name (without a dot, or under
  /// `k8s.io`), then everybody's, and within these by their bytes. So nobody takes a name from one that is more trusted.
  public func isBefore(_ other: OpenAPIIndexKey) -> Bool {
    (self.tier.rawValue, self.description) < (other.tier.rawValue, other.description)
  }

  enum Tier: Int {
    case core, project, others
  }

  var tier: Tier {
    let segments = self.description.split(separator: "/")
    guard segments[0] == "apis", segments.count > 1 else { return .core }
    let group = segments[1]
    return !group.contains(".") || group.hasSuffix(".k8s.io") ? .project : .others
  }

  private static func isPlain(_ segment: Substring) -> Bool {
    segment != "." && segment != ".." && !segment.isEmpty
      && segment.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
          UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
          true
        default: false
        }
      }
  }
}

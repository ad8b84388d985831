/// What can be named between `{{` and `}}`.
public protocol TemplateName: Hashable, Sendable {
  /// `nil` for a word that stands for nothing.
  init?(word: String)
  /// The words that there are, a family of words by one that shows its form; for whoever has misspelt one.
  static var words: [String] { get }
}

/// A part of a client certificate.
public enum CertificatePart: String, Sendable, Hashable, CaseIterable {
  case subject, issuer, serial, fingerprint
  /// Every subject alternative name.
  case sans
  case emailSANs = "sans.email"
  case uriSANs = "sans.uri"
  case dnsSANs = "sans.dns"
}

/// What the template of a header can name.
public enum HeaderTemplateName: TemplateName {
  case user, uid, groups
  /// An extra attribute, by its key.
  case extra(String)
  /// A claim of the token, by its path.
  case claim(String)
  case certificate(CertificatePart)
  case auditID, route

  public init?(word: String) {
    switch word {
    case "user": self = .user
    case "uid": self = .uid
    case "groups": self = .groups
    case "auditID": self = .auditID
    case "route": self = .route
    default:
      guard let dot = word.firstIndex(of: "."), word.index(after: dot) < word.endIndex else { return nil }
      let rest = String(word[word.index(after: dot)...])
      switch word[..<dot] {
      // Kubernetes has keys in lower case alone.
      case "extra" where rest == rest.lowercased(): self = .extra(rest)
      case "claims": self = .claim(rest)
      case "certificate":
        guard let part = CertificatePart(rawValue: rest) else { return nil }
        self = .certificate(part)
      default: return nil
      }
    }
  }

  public static let words =
    ["user", "uid", "groups", "extra.KEY", "claims.NAME"] + CertificatePart.allCases.map { "certificate.\($0.rawValue)" }
    + ["auditID", "route"]

  /// Whether only a request of somebody in particular has it.
  public var isOfSender: Bool { self != .auditID && self != .route }
  /// Whether it is another one with each request.
  public var isOfRequest: Bool { self == .auditID }
}

/// What the template of an error page can name.
public enum PageTemplateName: String, TemplateName, CaseIterable {
  /// The status code, and the words that stand for it.
  case status, title
  /// What the client may read of what is wrong.
  case message
  case auditID

  public init?(word: String) { self.init(rawValue: word) }
  public static var words: [String] { self.allCases.map(\.rawValue) }
}

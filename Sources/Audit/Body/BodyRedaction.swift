import SallyportWire

/// What of a body must not be in the log.
///
/// Secrets, ConfigMaps and tokens have their values hidden, and their names and keys shown: of such an object everything is
/// hidden but what is listed here, so that a field that nobody thought of is hidden, too.
struct BodyRedaction: Sendable {
  /// Whether the body is one of a resource that holds secrets.
  let hidesAll: Bool
  /// Whether the policy asks for this resource by its name: then nothing is hidden.
  let isOff: Bool
  let omitsManagedFields: Bool

  static func holdsSecrets(_ info: RequestInfo) -> Bool {
    switch (info.apiGroup, info.resource) {
    case ("", "secrets"), ("", "configmaps"), ("authentication.k8s.io", "tokenreviews"): true
    case ("", "serviceaccounts"): info.subresource == "token"
    default: false
    }
  }

  /// How a value is written.
  enum Mode {
    /// As it is, with nothing hidden.
    case plain
    /// As it is, but for objects of a kind that holds secrets, and strings whose names say that they are secrets.
    case watched
    /// An object that holds secrets, a list of such, a table of them, or a patch for one.
    case secret
    /// The `metadata` of such an object.
    case metadata
    /// Everything is hidden but the keys.
    case hidden
  }

  var start: Mode { self.isOff ? .plain : self.hidesAll ? .secret : .watched }

  /// The kinds that hold secrets, wherever they stand.
  static let kinds: [StaticString] = ["Secret", "SecretList", "ConfigMap", "ConfigMapList", "TokenRequest", "TokenReview"]

  /// How the member of an object is written.
  ///
  /// - Parameters:
  ///   - key: as it stands in the body; one with an escape in it is none of those that are shown
  ///   - isScalar: whether the value is neither an object nor an array
  static func mode(_ key: UnsafeRawBufferPointer, isScalar: Bool, in mode: Mode) -> Mode {
    switch mode {
    case .plain, .hidden: return mode
    case .watched:
      guard isScalar else { return .watched }
      return self.isSecret(key) ? .hidden : .plain
    case .secret:
      if isScalar { return self.shownFields.contains(where: key.isText) ? .plain : .hidden }
      if key.isText("metadata") { return .metadata }
      // Items of a list, rows of a table and the objects in them; what columns a table has is the server's own text.
      if key.isText("items") || key.isText("rows") || key.isText("object") { return .secret }
      return key.isText("columnDefinitions") ? .plain : .hidden
    case .metadata:
      if isScalar { return self.shownMetadata.contains(where: key.isText) ? .plain : .hidden }
      return key.isText("labels") || key.isText("finalizers") || key.isText("ownerReferences") ? .plain : .hidden
    }
  }

  /// What any object says of itself, the outcome of a `Status` without its message, the options of a deletion, where a JSON
  /// patch is applied, and whom a reference is to.
  private static let shownFields: [StaticString] = [
    "kind", "apiVersion", "type", "immutable", "status", "reason", "code", "propagationPolicy", "gracePeriodSeconds", "op", "path", "from",
    "name", "namespace", "uid", "controller", "blockOwnerDeletion",
  ]

  private static let shownMetadata: [StaticString] = [
    "name", "generateName", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
    "deletionGracePeriodSeconds", "selfLink", "remainingItemCount",
  ]

  /// Whether a string of this name is a secret in any object, or holds a copy of one.
  ///
  /// Whole names, unlike those of a query's parameters: `secretName` and `tokenExpirationSeconds` are no secrets.
  private static func isSecret(_ key: UnsafeRawBufferPointer) -> Bool {
    guard key.count <= 400 else { return false }
    var folded: [UInt8] = []
    for byte in JSONCharacters(key) {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): folded.append(byte)
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): folded.append(byte | 0x20)
      default: continue
      }
    }
    return folded.withUnsafeBytes { folded in self.secretNames.contains(where: folded.isText) }
  }

  private static let secretNames: [StaticString] = [
    "token", "accesstoken", "refreshtoken", "idtoken", "bearertoken", "password", "passwd", "passphrase", "clientsecret", "apikey",
    "secretkey", "secretaccesskey", "privatekey", "authorization", "cookie", "kubectlkubernetesiolastappliedconfiguration",
  ]
}

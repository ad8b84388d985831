import SallyportStrictYAML

/// Where a secret comes from; never the configuration file itself.
public enum SecretSource: Sendable, Equatable {
  /// The file's content; one line feed at its end is none of it.
  case file(NamedFile)
  /// A variable of the process's environment.
  case environment(String)
}

extension YAMLCursor {
  /// The name of an environment variable.
  func environmentVariable() -> String? {
    guard let text = self.text() else { return nil }
    let isName = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
      case UInt8(ascii: "_"): true
      default: false
      }
    }
    guard isName else {
      self.fault("is not the name of an environment variable", "write letters, digits and `_`, as in LDAP_PASSWORD")
      return nil
    }
    return text
  }
}

public import SallyportStrictYAML

/// A file or directory that the configuration names, and where it does.
///
/// Two are equal when they are the same path; where it was written is for messages.
public struct NamedFile: Sendable, Hashable, CustomStringConvertible {
  /// The path to open: a relative one was joined to the directory of the file that names it.
  public let path: String
  public let place: FilePlace

  public init(path: String, place: FilePlace) {
    self.path = path
    self.place = place
  }

  public static func == (left: NamedFile, right: NamedFile) -> Bool { left.path == right.path }
  public func hash(into hasher: inout Hasher) { hasher.combine(self.path) }
  public var description: String { self.path }

  /// `path` as seen from the directory of `file`.
  static func resolve(_ path: String, from file: String) -> String {
    guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
    return String(file[...slash]) + path
  }
}

extension YAMLCursor {
  func file() -> NamedFile? {
    guard let text = self.text() else { return nil }
    guard text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
      self.fault("has a control character", "write the path without it")
      return nil
    }
    guard !text.hasPrefix("~") else {
      self.fault("begins with `~`", "write the path out; only a shell knows `~`")
      return nil
    }
    let place = self.place
    return NamedFile(path: NamedFile.resolve(text, from: place.file), place: place)
  }

  /// The name of a listener, credential, upstream or route: fit for a metric's label and a line of the audit log.
  func name() -> String? {
    guard let text = self.text() else { return nil }
    let isPlain = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
      case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
      default: false
      }
    }
    guard isPlain, text.utf8.count <= 63 else {
      self.fault("is not a name", "use up to 63 letters, digits, `-`, `_` and `.`")
      return nil
    }
    return text
  }
}

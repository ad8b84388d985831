import NIOConcurrencyHelpers
import NIOCore

/// The files of every pod: kept in memory, by pod and container.
final class PodFiles: Sendable {
  private let trees = NIOLockedValueBox<[String: FileTree]>([:])

  func read<Result>(_ place: PodPlace, _ body: (FileTree) throws -> Result) rethrows -> Result {
    try self.trees.withLockedValue { trees in try body(trees[place.key] ?? FileTree(hostname: place.pod)) }
  }

  func change<Result>(_ place: PodPlace, _ body: (inout FileTree) throws -> Result) rethrows -> Result {
    try self.trees.withLockedValue { trees in try body(&trees[place.key, default: FileTree(hostname: place.pod)]) }
  }
}

/// Where a command runs.
struct PodPlace: Sendable {
  let namespace: String
  let pod: String
  /// A pod that is made again under the same name begins with no files.
  let uid: String
  let container: String
  let files: PodFiles

  fileprivate var key: String { "\(self.uid)/\(self.container)" }
}

/// One tree of files: absolute paths without `.` and `..` to what is there.
struct FileTree: Sendable {
  /// The most that a tree holds, in bytes of content.
  static let limit = 64 * 1024 * 1024

  struct File: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
      case directory
      case regular(ByteBuffer)
      case link(String)
    }

    var kind: Kind
    var mode: UInt32
    /// Seconds since 1970.
    var modified: Int

    var size: Int { if case .regular(let content) = self.kind { content.readableBytes } else { 0 } }
    var isDirectory: Bool { self.kind == .directory }

    static let directory = File(kind: .directory, mode: 0o755, modified: 0)
  }

  struct Full: Error {}

  private var files: [String: File]
  private var size = 0

  init(hostname: String) {
    self.files = ["/": .directory, "/tmp": .directory, "/etc": .directory]
    self.files["/etc/hostname"] = File(kind: .regular(ByteBuffer(string: "\(hostname)\n")), mode: 0o644, modified: 0)
  }

  /// The absolute form of a path, seen from a folder.
  static func absolute(_ path: String, in folder: String = "/") -> String {
    var parts: [Substring] = path.hasPrefix("/") ? [] : folder.split(separator: "/")
    for part in path.split(separator: "/") {
      switch part {
      case ".": break
      case "..": _ = parts.popLast()
      default: parts.append(part)
      }
    }
    return "/" + parts.joined(separator: "/")
  }

  subscript(path: String) -> File? { self.files[Self.absolute(path)] }

  /// The names in a folder, sorted.
  func names(in folder: String) -> [String] {
    let prefix = Self.prefix(of: folder)
    return self.files.keys.filter { $0 != "/" && $0.hasPrefix(prefix) && !$0.dropFirst(prefix.count).contains("/") }
      .map { String($0.dropFirst(prefix.count)) }.sorted()
  }

  /// A path and everything below it, sorted.
  func all(below path: String) -> [(path: String, file: File)] {
    let path = Self.absolute(path)
    let prefix = Self.prefix(of: path)
    return self.files.filter { $0.key == path || $0.key.hasPrefix(prefix) }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// Puts a file in the place of what is there, and makes the folders that it needs.
  ///
  /// - Throws: ``Full``
  mutating func put(_ file: File, at path: String) throws(Full) {
    let path = Self.absolute(path)
    guard path != "/" else { return }
    let size = self.size - (self.files[path]?.size ?? 0) + file.size
    guard size <= Self.limit else { throw Full() }
    self.size = size
    self.files[path] = file
    var folder = Self.parent(of: path)
    while self.files[folder]?.isDirectory != true {
      self.files[folder] = .directory
      folder = Self.parent(of: folder)
    }
  }

  private static func prefix(of path: String) -> String { path == "/" ? "/" : "\(path)/" }

  private static func parent(of path: String) -> String {
    let parent = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
    return parent.isEmpty ? "/" : String(parent)
  }
}

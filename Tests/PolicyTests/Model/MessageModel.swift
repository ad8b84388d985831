/// A second reading of whole requests, plain and line by line: what a server behind the gateway is told by them.
struct MessageModel {
  var server: ServerModel
  /// Whom the sender asks to act as, with the groups as they are written.
  var requested: RuleModel.Person?

  /// `nil` for what has no request line, or a target that the server's model cannot read.
  init?(_ bytes: [UInt8]) {
    let lines = Self.lines(of: bytes)
    let words = lines.first?.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false) ?? []
    guard words.count == 3 else { return nil }
    guard var server = ServerModel(Self.text(words[0]), Self.text(words[1])) else { return nil }
    var fields: [(name: String, value: String)] = []
    for line in lines.dropFirst() {
      if line.isEmpty { break }
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
      let value = line[(colon + 1)...].drop { $0 == 0x20 || $0 == 0x09 }.reversed().drop { $0 == 0x20 || $0 == 0x09 }.reversed()
      fields.append((Self.text(line[..<colon]).lowercased(), Self.text(Array(value)[...])))
    }
    func all(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }
    func list(_ name: String) -> [String] {
      all(name).flatMap { $0.lowercased().split(separator: ",").map { $0.drop { $0 == " " }.split(separator: " ").joined() } }
    }
    if let user = all("impersonate-user").first {
      self.requested = .init(user: user, groups: all("impersonate-group"))
    }
    let connection = list("connection")
    if connection.contains("upgrade"), !connection.contains("close") {
      switch list("upgrade") {
      case ["websocket"]: server.upgrades = server.method == "GET"
      case ["spdy/3.1"]: server.upgrades = server.method == "GET" || server.method == "POST"
      default: break
      }
    }
    self.server = server
  }

  private static func lines(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    var lines: [ArraySlice<UInt8>] = []
    var start = 0
    for index in bytes.indices where bytes[index] == 0x0A && index > 0 && bytes[index - 1] == 0x0D {
      lines.append(bytes[start..<(index - 1)])
      start = index + 1
    }
    return lines
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}

import NIOCore

/// A command that runs in a pod, as a machine without I/O.
protocol PodProgram {
  mutating func start() -> [ProgramOutput]
  mutating func input(_ bytes: ByteBuffer) -> [ProgramOutput]
  mutating func inputEnded() -> [ProgramOutput]
  /// Ctrl-C at its terminal.
  mutating func interrupted() -> [ProgramOutput]
  mutating func resized(_ size: TerminalSize) -> [ProgramOutput]
}

extension PodProgram {
  mutating func start() -> [ProgramOutput] { [] }
  mutating func input(_ bytes: ByteBuffer) -> [ProgramOutput] { [] }
  mutating func inputEnded() -> [ProgramOutput] { [] }
  /// 128 and the number of SIGINT.
  mutating func interrupted() -> [ProgramOutput] { [.exit(130)] }
  mutating func resized(_ size: TerminalSize) -> [ProgramOutput] { [] }
}

enum ProgramOutput: Equatable {
  case stdout(ByteBuffer)
  case stderr(String)
  /// Nothing follows.
  case exit(Int)

  static func stdout(_ text: String) -> ProgramOutput { .stdout(ByteBuffer(string: text)) }
}

struct TerminalSize: Equatable {
  let columns: Int
  let rows: Int
}

/// The commands that a pod knows.
enum PodPrograms {
  static let names = ["cat", "echo", "env", "false", "hostname", "ls", "sh", "stty", "tar", "test", "true"]

  /// - Parameter hasTerminal: whether there is one between the client and the command
  static func program(_ command: [String], _ place: PodPlace, hasTerminal: Bool = false) -> any PodProgram {
    let arguments = Array(command.dropFirst())
    switch command.first.map({ $0.split(separator: "/").last.map(String.init) ?? $0 }) {
    case "cat" where arguments.allSatisfy({ $0 == "-" }): return Cat()
    case "cat": return Done(self.cat(arguments, place))
    case "echo" where arguments.first == "-n": return Done([.stdout(arguments.dropFirst().joined(separator: " ")), .exit(0)])
    case "echo": return Done([.stdout(arguments.joined(separator: " ") + "\n"), .exit(0)])
    case "env":
      let lines = ["PATH=/usr/local/bin:/usr/bin:/bin", "HOSTNAME=\(place.pod)", "HOME=/", "KUBERNETES_SERVICE_HOST=10.96.0.1"]
      return Done([.stdout(lines.joined(separator: "\n") + "\n"), .exit(0)])
    case "false": return Done([.exit(1)])
    case "hostname": return Done([.stdout("\(place.pod)\n"), .exit(0)])
    case "ls": return Done(self.list(arguments, place))
    case "sh": return Shell(arguments, place, hasTerminal: hasTerminal)
    case "stty" where arguments == ["size"]: return Size()
    case "tar": return Tar.program(arguments, place)
    case "test": return Done([.exit(self.test(arguments, place) ? 0 : 1)])
    case "true": return Done([.exit(0)])
    default:
      let name = command.first ?? ""
      return Done([
        .stderr("\(name): not found; a practice pod knows \(self.names.joined(separator: ", "))\n"), .exit(127),
      ])
    }
  }

  private static func cat(_ paths: [String], _ place: PodPlace) -> [ProgramOutput] {
    var status = 0
    let output: [ProgramOutput] = paths.map { path in
      switch place.files.read(place, { $0[path] })?.kind {
      case .regular(let content): return .stdout(content)
      case .directory:
        status = 1
        return .stderr("cat: \(path): Is a directory\n")
      case .link, nil:
        status = 1
        return .stderr("cat: \(path): No such file or directory\n")
      }
    }
    return output + [.exit(status)]
  }

  private static func list(_ arguments: [String], _ place: PodPlace) -> [ProgramOutput] {
    let path = arguments.first { !$0.hasPrefix("-") } ?? "/"
    return place.files.read(place) { tree in
      guard let file = tree[path] else { return [.stderr("ls: \(path): No such file or directory\n"), .exit(1)] }
      let names = file.isDirectory ? tree.names(in: FileTree.absolute(path)) : [path]
      return [.stdout(names.map { "\($0)\n" }.joined()), .exit(0)]
    }
  }

  private static func test(_ arguments: [String], _ place: PodPlace) -> Bool {
    guard arguments.count == 2, let file = place.files.read(place, { $0[arguments[1]] }) else { return false }
    switch arguments[0] {
    case "-d": return file.isDirectory
    case "-f": if case .regular = file.kind { return true } else { return false }
    case "-e": return true
    default: return false
    }
  }
}

/// A command whose outcome is known from the start.
struct Done: PodProgram {
  private let output: [ProgramOutput]

  init(_ output: [ProgramOutput]) { self.output = output }

  mutating func start() -> [ProgramOutput] { self.output }
}

/// `cat` without files: what comes in goes out.
struct Cat: PodProgram {
  mutating func input(_ bytes: ByteBuffer) -> [ProgramOutput] { [.stdout(bytes)] }
  mutating func inputEnded() -> [ProgramOutput] { [.exit(0)] }
}

/// `stty size`: waits until the client has told the size of its terminal.
struct Size: PodProgram {
  mutating func inputEnded() -> [ProgramOutput] { [.stderr("stty: standard input is no terminal\n"), .exit(1)] }
  mutating func resized(_ size: TerminalSize) -> [ProgramOutput] { [.stdout("\(size.rows) \(size.columns)\n"), .exit(0)] }
}

/// What runs in the pod already, for attach: says every line of its input again, and ends with it.
struct LineEcho: PodProgram {
  let hasInput: Bool
  private var line = ByteBuffer()

  init(hasInput: Bool) { self.hasInput = hasInput }

  mutating func input(_ bytes: ByteBuffer) -> [ProgramOutput] {
    var bytes = bytes
    self.line.writeBuffer(&bytes)
    guard let end = self.line.readableBytesView.lastIndex(of: UInt8(ascii: "\n")) else {
      // A line without an end is passed on in pieces.
      return self.line.readableBytes > 64 * 1024 ? [.stdout(self.taken(self.line.readableBytes))] : []
    }
    return [.stdout(self.taken(end - self.line.readerIndex + 1))]
  }

  /// A process without an input goes on for as long as the pod does.
  mutating func inputEnded() -> [ProgramOutput] {
    guard self.hasInput else { return [] }
    return (self.line.readableBytes > 0 ? [.stdout(self.taken(self.line.readableBytes))] : []) + [.exit(0)]
  }

  private mutating func taken(_ count: Int) -> ByteBuffer {
    let bytes = self.line.readSlice(length: count) ?? ByteBuffer()
    self.line = ByteBuffer(buffer: self.line)
    return bytes
  }
}

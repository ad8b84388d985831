import NIOCore

/// `sh`, as far as somebody at a terminal wants one to practise on: reads lines, and runs a pod's commands one after the other.
///
/// It knows words between blanks, `exit`, and a `#` at the beginning of a line; neither quotes nor variables nor pipes.
struct Shell: PodProgram {
  /// A line is given up beyond so many bytes.
  static let longestLine = 64 * 1024

  private let place: PodPlace
  private let hasTerminal: Bool
  /// What `sh -c` is to run.
  private let command: String?
  private var unread = ByteBuffer()
  private var running: (any PodProgram)?
  private var size: TerminalSize?
  private var status = 0
  private var inputHasEnded = false

  /// - Parameters:
  ///   - arguments: behind the program's name
  ///   - hasTerminal: whether somebody sits before it, for whom there is a prompt
  init(_ arguments: [String], _ place: PodPlace, hasTerminal: Bool) {
    self.place = place
    self.hasTerminal = hasTerminal
    self.command = arguments.first == "-c" ? arguments.dropFirst().first : nil
  }

  mutating func start() -> [ProgramOutput] {
    guard let command = self.command else { return self.prompt }
    return self.run(command)
  }

  mutating func input(_ bytes: ByteBuffer) -> [ProgramOutput] {
    if self.running != nil { return self.handle(self.running?.input(bytes) ?? []) }
    var bytes = bytes
    self.unread.writeBuffer(&bytes)
    return self.readLines()
  }

  mutating func inputEnded() -> [ProgramOutput] {
    if self.running != nil {
      // At a terminal the end is the running command's alone.
      self.inputHasEnded = !self.hasTerminal
      return self.handle(self.running?.inputEnded() ?? [])
    }
    self.inputHasEnded = true
    return self.readLines()
  }

  mutating func interrupted() -> [ProgramOutput] {
    self.running = nil
    self.status = 130
    return self.command == nil ? self.prompt : [.exit(130)]
  }

  mutating func resized(_ size: TerminalSize) -> [ProgramOutput] {
    self.size = size
    return self.handle(self.running?.resized(size) ?? [])
  }

  private var prompt: [ProgramOutput] { self.hasTerminal ? [.stdout("$ ")] : [] }

  /// Runs the lines that are there, until one of them waits for its own input.
  private mutating func readLines() -> [ProgramOutput] {
    var output: [ProgramOutput] = []
    while self.running == nil, let line = self.nextLine() {
      output += self.run(line)
      if case .exit? = output.last { return output }
    }
    if self.running == nil, self.inputHasEnded { output.append(.exit(self.status)) }
    return output
  }

  /// - Returns: `nil` where no line is whole yet
  private mutating func nextLine() -> String? {
    let view = self.unread.readableBytesView
    if let end = view.firstIndex(of: UInt8(ascii: "\n")) {
      let line = self.unread.readString(length: end - view.startIndex)
      self.unread.moveReaderIndex(forwardBy: 1)
      self.unread.discardReadBytes()
      return line
    }
    guard self.unread.readableBytes > 0, self.inputHasEnded || self.unread.readableBytes > Self.longestLine else { return nil }
    return self.unread.readString(length: self.unread.readableBytes)
  }

  private mutating func run(_ line: String) -> [ProgramOutput] {
    let words = line.split { $0 == " " || $0 == "\t" || $0 == "\r" }.map(String.init)
    guard let name = words.first, !name.hasPrefix("#") else { return self.command == nil ? self.prompt : [.exit(self.status)] }
    if name == "exit" { return [.exit(words.dropFirst().first.flatMap { Int($0) }.map { $0 & 0xFF } ?? self.status)] }
    var program = PodPrograms.program(words, self.place, hasTerminal: self.hasTerminal)
    var output = program.start()
    if let size = self.size { output += program.resized(size) }
    if self.inputHasEnded { output += program.inputEnded() }
    self.running = program
    return self.handle(output, readsOn: false)
  }

  /// What the running command said; where it has ended, the next line's turn has come.
  private mutating func handle(_ output: [ProgramOutput], readsOn: Bool = true) -> [ProgramOutput] {
    var said: [ProgramOutput] = []
    for part in output {
      guard case .exit(let code) = part else {
        said.append(part)
        continue
      }
      self.running = nil
      self.status = code
      guard self.command == nil else { return said + [.exit(code)] }
      return said + self.prompt + (readsOn ? self.readLines() : [])
    }
    return said
  }
}

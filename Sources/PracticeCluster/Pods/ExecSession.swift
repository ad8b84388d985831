import NIOCore

/// A command in a pod, or what runs there already, on a client's streams.
struct ExecSession: PodSession {
  /// The most that may arrive before all streams are there, in bytes.
  static let earlyLimit = 1024 * 1024

  private enum State {
    case opening(early: [StreamEvent], size: Int)
    case running
    case over
  }

  private let options: ExecOptions
  private let statusIsJSON: Bool
  private var program: any PodProgram
  private var terminal: Terminal?
  private var streams: [String: StreamID] = [:]
  private var state = State.opening(early: [], size: 0)
  private var resizing = ByteBuffer()

  init(_ options: ExecOptions, _ place: PodPlace, statusIsJSON: Bool) {
    self.options = options
    self.statusIsJSON = statusIsJSON
    self.program =
      options.isAttach ? LineEcho(hasInput: options.stdin) : PodPrograms.program(options.command, place, hasTerminal: options.tty)
    self.terminal = options.tty ? Terminal() : nil
  }

  mutating func receive(_ event: StreamEvent) -> [StreamCommand] {
    switch (self.state, event) {
    case (.opening(let early, let size), .opened(let id, let fields)):
      guard let name = fields["streamtype"], self.options.expectedStreams.contains(name), self.streams[name] == nil else {
        return [.reset(id)]
      }
      self.streams[name] = id
      guard self.streams.count == self.options.expectedStreams.count else {
        self.state = .opening(early: early, size: size)
        return []
      }
      self.state = .running
      var commands = self.apply(self.program.start())
      if !self.options.stdin { commands += self.apply(self.program.inputEnded()) }
      for event in early { commands += self.receive(event) }
      return commands
    case (.opening(let early, let size), .data(_, let bytes)):
      guard size + bytes.readableBytes <= Self.earlyLimit else { return self.fail("too much was sent before the streams were there") }
      self.state = .opening(early: early + [event], size: size + bytes.readableBytes)
      return []
    case (.opening(let early, let size), .ended):
      self.state = .opening(early: early + [event], size: size)
      return []
    case (.running, .opened(let id, _)): return [.reset(id)]
    case (.running, .data(let id, let bytes)) where id == self.streams["stdin"]: return self.typed(bytes)
    case (.running, .data(let id, let bytes)) where id == self.streams["resize"]: return self.resized(bytes)
    case (.running, .ended(let id)) where id == self.streams["stdin"], (.running, .reset(let id)) where id == self.streams["stdin"]:
      return self.apply(self.program.inputEnded())
    case (.running, .data), (.running, .ended), (.opening, .reset), (.running, .reset), (_, .goodbye), (.over, _): return []
    }
  }

  private mutating func typed(_ bytes: ByteBuffer) -> [StreamCommand] {
    guard let effects = self.terminal?.type(bytes) else { return self.apply(self.program.input(bytes)) }
    var commands: [StreamCommand] = []
    for effect in effects {
      switch effect {
      case .show(let bytes): commands += self.send(bytes, on: "stdout")
      case .line(let line): commands += self.apply(self.program.input(line))
      case .endOfInput: commands += self.apply(self.program.inputEnded())
      case .interrupt: commands += self.apply(self.program.interrupted())
      }
    }
    return commands
  }

  /// A size comes as JSON, one object behind the other.
  private mutating func resized(_ bytes: ByteBuffer) -> [StreamCommand] {
    var bytes = bytes
    self.resizing.writeBuffer(&bytes)
    var commands: [StreamCommand] = []
    while let end = self.resizing.readableBytesView.firstIndex(of: UInt8(ascii: "}")) {
      let text = self.resizing.readSlice(length: end - self.resizing.readerIndex + 1).map { Array($0.readableBytesView) } ?? []
      guard let size = try? JSONReader.read(text), let columns = size["Width"]?.integer, let rows = size["Height"]?.integer else {
        continue
      }
      commands += self.apply(self.program.resized(TerminalSize(columns: Int(columns), rows: Int(rows))))
    }
    if self.resizing.readableBytes > 1024 { self.resizing.clear() }
    return commands
  }

  private mutating func apply(_ output: [ProgramOutput]) -> [StreamCommand] {
    var commands: [StreamCommand] = []
    for output in output {
      guard case .running = self.state else { break }
      switch output {
      case .stdout(let bytes): commands += self.send(self.terminal == nil ? bytes : Terminal.shown(bytes), on: "stdout")
      case .stderr(let text):
        let bytes = ByteBuffer(string: text)
        // Behind a terminal there is one output for both.
        commands += self.terminal == nil ? self.send(bytes, on: "stderr") : self.send(Terminal.shown(bytes), on: "stdout")
      case .exit(let code): commands += self.exit(ExecStatus.exit(code))
      }
    }
    return commands
  }

  private func send(_ bytes: ByteBuffer, on name: String) -> [StreamCommand] {
    guard bytes.readableBytes > 0, let id = self.streams[name] else { return [] }
    return [.send(bytes, on: id)]
  }

  private mutating func fail(_ message: String) -> [StreamCommand] { self.exit(.failed(message)) }

  private mutating func exit(_ status: ExecStatus) -> [StreamCommand] {
    self.state = .over
    // The outputs end before the status is told: whoever has the status has everything.
    var commands = ["stdout", "stderr"].compactMap { self.streams[$0] }.map { StreamCommand.end($0) }
    if let id = self.streams["error"] {
      let text = self.statusIsJSON ? status.json.bytes : Array((status.message ?? "").utf8)
      if !text.isEmpty { commands.append(.send(ByteBuffer(bytes: text), on: id)) }
      commands.append(.end(id))
    }
    return commands + [.finish]
  }
}

/// How a command ended, as kubernetes/kubelet pkg/cri/streaming/remotecommand tells it on the error stream.
enum ExecStatus: Equatable {
  case exit(Int)
  case failed(String)

  /// `nil` for a success.
  var message: String? {
    switch self {
    case .exit(0): nil
    case .exit(let code): "command terminated with non-zero exit code: exit status \(code)"
    case .failed(let message): message
    }
  }

  var json: JSON {
    guard let message = self.message else { return ["metadata": [:], "status": "Success"] }
    var status: JSON = ["metadata": [:], "status": "Failure", "message": .string(message)]
    switch self {
    case .exit(let code):
      status.set("NonZeroExitCode", at: "reason")
      status.set(["causes": [["reason": "ExitCode", "message": .string("\(code)")]]], at: "details")
    case .failed:
      status.set("InternalError", at: "reason")
      status.set(.integer(500), at: "code")
    }
    return status
  }
}

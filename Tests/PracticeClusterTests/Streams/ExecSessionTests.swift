import NIOCore
import Testing

@testable import SallyportPracticeCluster

@Suite struct ExecSessionTests {
  /// A command, its streams open, and what it said so far.
  struct Run {
    private var session: ExecSession
    private(set) var texts: [StreamID: String] = [:]
    private(set) var ended: [StreamID] = []
    private(set) var isFinished = false

    static let ids: [String: StreamID] = ["error": 1, "stdin": 3, "stdout": 5, "stderr": 7, "resize": 9]

    init(_ command: [String], files: PodFiles = PodFiles(), query: String = "stdin=1&stdout=1&stderr=1", isAttach: Bool = false) throws {
      let text = command.map { "command=\($0.replacing("%", with: "%25").replacing(" ", with: "+").replacing("&", with: "%26"))" }
      let options = try ExecOptions(GoQuery((text + [query]).joined(separator: "&")), isAttach: isAttach)
      let place = PodPlace(namespace: "dev", pod: "web-0", uid: "u", container: "web", files: files)
      self.session = ExecSession(options, place, statusIsJSON: true)
      for name in ["error", "stdin", "stdout", "stderr", "resize"] where options.expectedStreams.contains(name) {
        self.receive(.opened(Self.ids[name] ?? 0, fields: ["streamtype": name]))
      }
    }

    mutating func receive(_ event: StreamEvent) {
      for command in self.session.receive(event) {
        switch command {
        case .send(let bytes, let id): self.texts[id, default: ""] += String(buffer: bytes)
        case .end(let id), .reset(let id): self.ended.append(id)
        case .finish: self.isFinished = true
        }
      }
    }

    mutating func type(_ text: String, on name: String = "stdin") { self.receive(.data(Self.ids[name] ?? 0, ByteBuffer(string: text))) }
    mutating func endInput() { self.receive(.ended(Self.ids["stdin"] ?? 0)) }

    var output: String { self.texts[5] ?? "" }
    var errors: String { self.texts[7] ?? "" }
    var status: JSON { (try? JSONReader.read(self.texts[1] ?? "")) ?? .null }
    var exitCode: String? { self.status[["details"]]?["causes"]?.array?.first?["message"]?.string }
  }

  @Test func catSaysWhatItHearsUntilItsInputEnds() throws {
    var run = try Run(["cat"])
    run.type("one\n")
    #expect(run.output == "one\n" && !run.isFinished)
    run.type("two")
    run.endInput()
    #expect(run.output == "one\ntwo" && run.isFinished)
    #expect(run.status == ["metadata": [:], "status": "Success"])
    #expect(run.ended == [5, 7, 1], "the status comes behind the outputs")
    run.type("late")
    #expect(run.output == "one\ntwo")
  }

  @Test(
    arguments: [
      (["echo", "a", "b"], "a b\n", nil), (["/bin/echo", "-n", "a"], "a", nil), (["true"], "", nil), (["false"], "", "1"),
      (["hostname"], "web-0\n", nil), (["cat", "/etc/hostname"], "web-0\n", nil), (["test", "-d", "/tmp"], "", nil),
      (["test", "-d", "/etc/hostname"], "", "1"), (["test", "-e", "/no"], "", "1"), (["ls", "/"], "etc\ntmp\n", nil),
    ] as [([String], String, String?)])
  func aCommandEndsWithItsCode(command: [String], output: String, code: String?) throws {
    let run = try Run(command)
    #expect(run.isFinished && run.output == output && run.errors.isEmpty && run.exitCode == code)
    #expect(run.status["reason"]?.string == code.map { _ in "NonZeroExitCode" })
  }

  @Test func aCommandThatIsNotThereIs127() throws {
    let run = try Run(["bash", "-c", "true"])
    #expect(run.exitCode == "127" && run.errors.hasPrefix("bash: not found"))
    #expect(run.status["message"] == "command terminated with non-zero exit code: exit status 127")
  }

  @Test func faultsGoToTheStandardError() throws {
    let run = try Run(["cat", "/etc/hostname", "/no"])
    #expect(run.output == "web-0\n" && run.errors == "cat: /no: No such file or directory\n" && run.exitCode == "1")
  }

  @Test func withoutAnInputThereIsNoneToWaitFor() throws {
    let run = try Run(["cat"], query: "stdout=1")
    #expect(run.isFinished && run.output.isEmpty && run.ended == [5, 1])
  }

  @Test func whatComesBeforeTheLastStreamIsKept() throws {
    let options = try ExecOptions(GoQuery("command=cat&stdin=1&stdout=1"), isAttach: false)
    var session = ExecSession(
      options, PodPlace(namespace: "dev", pod: "p", uid: "u", container: "c", files: PodFiles()), statusIsJSON: true)
    #expect(session.receive(.opened(1, fields: ["streamtype": "error"])) == [])
    #expect(session.receive(.opened(3, fields: ["streamtype": "stdin"])) == [])
    #expect(session.receive(.opened(5, fields: ["streamtype": "stdin"])) == [.reset(5)], "there is one already")
    #expect(session.receive(.opened(7, fields: ["streamtype": "resize"])) == [.reset(7)], "nobody asked for it")
    #expect(session.receive(.data(3, ByteBuffer(string: "early"))) == [])
    #expect(session.receive(.opened(9, fields: ["streamtype": "stdout"])) == [.send(ByteBuffer(string: "early"), on: 9)])
  }

  @Test func aTerminalShowsWhatIsTypedAndHandsOnLines() throws {
    var run = try Run(["cat"], query: "stdin=1&stdout=1&stderr=1&tty=1")
    run.type("hez\u{7F}y")
    #expect(run.output == "hez\u{8} \u{8}y")
    run.type("\r")
    #expect(run.output == "hez\u{8} \u{8}y\r\nhey\r\n")
    run.type("\u{4}")
    #expect(run.isFinished && run.status["status"] == "Success")
    var stopped = try Run(["cat"], query: "stdin=1&stdout=1&tty=1")
    stopped.type("\u{3}")
    #expect(stopped.exitCode == "130" && stopped.output == "^C\r\n")
  }

  @Test func theTerminalsSizeIsTold() throws {
    var run = try Run(["stty", "size"], query: "stdin=1&stdout=1&tty=1")
    run.type(#"{"Width":1"#, on: "resize")
    run.type("20,\"Height\":40}\n", on: "resize")
    #expect(run.output == "40 120\r\n" && run.isFinished)
  }

  @Test func attachEchoesLines() throws {
    var run = try Run([], isAttach: true)
    run.type("he")
    #expect(run.output == "")
    run.type("y\nyo")
    #expect(run.output == "hey\n")
    run.endInput()
    #expect(run.output == "hey\nyo" && run.status["status"] == "Success")
    var silent = try Run([], query: "stdout=1", isAttach: true)
    #expect(!silent.isFinished)
    silent.receive(.goodbye)
    #expect(!silent.isFinished)
  }

  // MARK: tar

  @Test func whatOneArchivePacksAnotherPodUnpacks() throws {
    let files = PodFiles()
    let long = "/tmp/" + String(repeating: "long/", count: 30) + "näme"
    let place = PodPlace(namespace: "dev", pod: "web-0", uid: "u", container: "web", files: files)
    let content = ByteBuffer(bytes: (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
    try files.change(place) { tree in
      try tree.put(.init(kind: .regular(content), mode: 0o640, modified: 1_700_000_000), at: "/tmp/a/data")
      try tree.put(.init(kind: .link("data"), mode: 0o777, modified: 5), at: "/tmp/a/link")
      try tree.put(.init(kind: .regular(ByteBuffer()), mode: 0o600, modified: 6), at: long)
    }
    var archive = ByteBuffer()
    for case .stdout(let bytes) in try Self.start(["tar", "cf", "-", "/tmp"], place) { archive.writeImmutableBuffer(bytes) }
    #expect(archive.readableBytes % 512 == 0)

    for size in [1, 511, 513, 10_000] where size > 1 || archive.readableBytes < 200_000 {
      let other = PodPlace(namespace: "dev", pod: "web-1", uid: "\(size)", container: "web", files: files)
      var program = PodPrograms.program(["tar", "-xmf", "-", "-C", "/copy"], other)
      for piece in WebSocketReaderTests.pieces(archive, of: size) { #expect(program.input(piece) == []) }
      #expect(program.inputEnded() == [.exit(0)])
      let tree = files.read(other) { $0 }
      #expect(tree["/copy/tmp/a/data"] == .init(kind: .regular(content), mode: 0o640, modified: 1_700_000_000))
      #expect(tree["/copy/tmp/a/link"]?.kind == .link("data"))
      #expect(tree["/copy\(long)"]?.mode == 0o600)
    }
  }

  private static func start(_ command: [String], _ place: PodPlace) throws -> [ProgramOutput] {
    var program = PodPrograms.program(command, place)
    return program.start()
  }

  @Test func noArchiveLeavesItsTreeOrFillsMoreThanIt() throws {
    let files = PodFiles()
    let place = PodPlace(namespace: "dev", pod: "web-0", uid: "u", container: "web", files: files)
    var program = PodPrograms.program(["tar", "xf", "-", "-C", "/tmp"], place)
    let file = FileTree.File(kind: .regular(ByteBuffer(string: "x")), mode: 0o600, modified: 0)
    #expect(program.input(TarWriter.entry("../../../../etc/passwd", file)) == [])
    #expect(files.read(place) { $0["/etc/passwd"] } == file, "the tree is all there is")
    #expect(program.inputEnded() == [.exit(0)])

    var full = PodPrograms.program(["tar", "xf", "-"], place)
    let large = FileTree.File(kind: .regular(ByteBuffer(repeating: 0, count: FileTree.limit / 2)), mode: 0o600, modified: 0)
    #expect(full.input(TarWriter.entry("a", large)) == [])
    #expect(full.input(TarWriter.entry("b", large)) == [.stderr("tar: No space left on device\n"), .exit(2)])
    var junk = PodPrograms.program(["tar", "xf", "-"], place)
    #expect(junk.input(ByteBuffer(repeating: 65, count: 512)) == [.stderr("tar: This does not look like a tar archive\n"), .exit(2)])
    var short = PodPrograms.program(["tar", "xf", "-"], place)
    _ = short.input(ByteBuffer(repeating: 65, count: 100))
    #expect(short.inputEnded() == [.stderr("tar: Unexpected EOF in archive\n"), .exit(2)])
  }
}

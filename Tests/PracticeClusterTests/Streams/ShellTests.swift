import NIOCore
import Testing

@testable import SallyportPracticeCluster

@Suite struct ShellTests {
  private typealias Run = ExecSessionTests.Run
  private static let atTerminal = "stdin=1&stdout=1&tty=1"

  @Test func somebodyAtATerminalRunsOneCommandBehindTheOther() throws {
    var run = try Run(["sh"], query: Self.atTerminal)
    #expect(run.output == "$ ")
    run.type("hostname\r")
    #expect(run.output == "$ hostname\r\nweb-0\r\n$ ")
    run.type("cat /no\r\r")
    #expect(run.output.hasSuffix("cat: /no: No such file or directory\r\n$ \r\n$ ") && !run.isFinished)
    run.type("exit\r")
    #expect(run.isFinished && run.exitCode == "1", "the last command's status is the shell's")
  }

  @Test func aCommandHasTheInputUntilItEnds() throws {
    var run = try Run(["/bin/sh"], query: Self.atTerminal)
    run.type("cat\rexit\r")
    #expect(run.output.hasSuffix("exit\r\nexit\r\n") && !run.isFinished, "cat said it again")
    run.type("\u{4}")
    #expect(run.output.hasSuffix("$ ") && !run.isFinished)
    run.type("\u{4}")
    #expect(run.isFinished && run.status["status"] == "Success")
  }

  @Test func controlCEndsTheCommandAndNotTheShell() throws {
    var run = try Run(["sh"], query: Self.atTerminal)
    run.type("cat\r\u{3}")
    #expect(run.output.hasSuffix("^C\r\n$ ") && !run.isFinished)
    run.type("exit\r")
    #expect(run.exitCode == "130")
  }

  @Test func aCommandIsToldTheTerminalsSize() throws {
    var run = try Run(["sh"], query: Self.atTerminal)
    run.type(#"{"Width":120,"Height":40}"#, on: "resize")
    run.type("stty size\r")
    #expect(run.output.hasSuffix("40 120\r\n$ "))
  }

  @Test(
    arguments: [
      ("echo one\n\n# nothing\necho two", "one\ntwo\n", nil), ("false\n", "", "1"), ("exit 7\necho late\n", "", "7"), ("", "", nil),
      ("cat\nechoed\n", "echoed\n", nil),
    ] as [(String, String, String?)])
  func withoutATerminalItReadsAScript(script: String, output: String, code: String?) throws {
    var run = try Run(["sh"])
    // However it is cut into pieces.
    for character in script { run.type(String(character)) }
    run.endInput()
    #expect(run.isFinished && run.output == output && run.exitCode == code, "\(run.output) \(run.errors)")
  }

  @Test func oneCommandIsGivenAsAnArgument() throws {
    let run = try Run(["sh", "-c", "echo a  b"])
    #expect(run.isFinished && run.output == "a b\n")
    #expect(try Run(["sh", "-c", "nothing"]).exitCode == "127")
  }
}

import NIOCore

/// What a client of exec or attach asks for (`PodExecOptions`, `PodAttachOptions`).
struct ExecOptions: Sendable {
  /// Empty for attach.
  let command: [String]
  let isAttach: Bool
  let stdin: Bool
  let stdout: Bool
  let stderr: Bool
  let tty: Bool

  init(_ query: GoQuery, isAttach: Bool) throws(APIError) {
    self.command = isAttach ? [] : query.all("command")
    self.isAttach = isAttach
    self.stdin = query.flag("stdin")
    self.stdout = query.flag("stdout")
    self.tty = query.flag("tty")
    // A terminal has one output.
    self.stderr = query.flag("stderr") && !self.tty
    guard self.stdin || self.stdout || self.stderr else { throw .badRequest("you must specify at least 1 of stdin, stdout, stderr") }
    guard isAttach || !self.command.isEmpty else { throw .badRequest("you must specify at least 1 command") }
  }

  /// The streams by their names, which are the values of `streamtype`; a WebSocket's channels have their numbers in this order.
  static let streamTypes = ["stdin", "stdout", "stderr", "error", "resize"]

  /// What has to be there before the command begins.
  var expectedStreams: Set<String> {
    var names: Set = ["error"]
    for (name, isWanted) in [("stdin", self.stdin), ("stdout", self.stdout), ("stderr", self.stderr), ("resize", self.tty)] where isWanted {
      names.insert(name)
    }
    return names
  }

  /// The channels of a WebSocket. An empty message on the lowest of the server's tells the client that it begins.
  var webSocketChannels: [WebSocketChannels.Channel] {
    let greeter = self.stdout ? "stdout" : self.stderr ? "stderr" : "error"
    return Self.streamTypes.enumerated().filter { self.expectedStreams.contains($0.element) }.map { number, name in
      WebSocketChannels.Channel(
        id: StreamID(number), fields: ["streamtype": name], greeting: name == greeter ? ByteBuffer() : nil)
    }
  }
}

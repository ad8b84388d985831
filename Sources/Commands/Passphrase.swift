import Foundation

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Reads passwords from whoever runs a command: never from its arguments, which every user of the machine can see.
public enum Passphrase {
  /// Where a command gets a password from.
  public enum Source: Sendable {
    /// The first line of standard input.
    case standardInput
    /// The terminal, without echo, asked twice.
    case terminal
  }

  /// The terminal if standard input is one, else its first line.
  public static var naturalSource: Source { isatty(STDIN_FILENO) == 1 ? .terminal : .standardInput }

  /// Reads a password.
  ///
  /// - Parameter prompt: what the terminal asks for: `Password for alice`
  /// - Throws: ``CommandFailure`` for an empty one, two that differ, or no terminal
  public static func read(from source: Source, prompt: String) throws(CommandFailure) -> String {
    switch source {
    case .standardInput:
      return try self.checked(readLine(strippingNewline: true))
    case .terminal:
      let first = try self.checked(self.ask("\(prompt): "))
      guard try self.ask("Again: ") == first else { throw CommandFailure("the two passwords differ") }
      return first
    }
  }

  /// Whether there is somebody to ask: a terminal at standard input.
  public static var hasTerminal: Bool { isatty(STDIN_FILENO) == 1 }

  /// Reads a password that exists already: from the terminal, asked once, or the first line of standard input.
  ///
  /// - Throws: ``CommandFailure`` for an empty one, or no terminal
  public static func readExisting(from source: Source, prompt: String) throws(CommandFailure) -> String {
    switch source {
    case .standardInput: try self.checked(readLine(strippingNewline: true))
    case .terminal: try self.checked(try self.ask("\(prompt): "))
    }
  }

  /// A password that nobody chose: 120 random bits in letters and digits that are not mistaken for one another.
  public static func generate() -> String {
    // 32 characters, so that each carries five bits: neither i, l, o nor u (Crockford's base 32).
    let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz")
    var generator = SystemRandomNumberGenerator()
    let characters = (0..<24).map { _ in alphabet.randomElement(using: &generator)! }
    return stride(from: 0, to: 24, by: 6).map { String(characters[$0..<$0 + 6]) }.joined(separator: "-")
  }

  static func checked(_ password: String?) throws(CommandFailure) -> String {
    guard let password, !password.isEmpty else { throw CommandFailure("the password is empty") }
    guard !password.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
      throw CommandFailure("the password holds a control character, which no client can send")
    }
    return password
  }

  /// Asks on the terminal with its echo off, and leaves the terminal as it was, also when it is interrupted.
  private static func ask(_ prompt: String) throws(CommandFailure) -> String {
    // `readpassphrase` is not in glibc, and `getpass` is obsolete and cuts; so the echo is turned off by hand.
    let terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)
    guard terminal >= 0 else { throw CommandFailure("there is no terminal to ask on; give the password on standard input") }
    defer { close(terminal) }
    var settings = termios()
    guard tcgetattr(terminal, &settings) == 0 else { throw CommandFailure("the terminal does not say how it is set") }
    var silent = settings
    silent.c_lflag &= ~tcflag_t(ECHO)
    silent.c_lflag |= tcflag_t(ECHONL)

    // Ctrl-C must break the reading off and not the process, or the shell would be left without echo.
    var previous = sigaction()
    sigaction(SIGINT, nil, &previous)
    defer { sigaction(SIGINT, &previous, nil) }
    signal(SIGINT) { _ in }
    var noticed = sigaction()
    sigaction(SIGINT, nil, &noticed)
    noticed.sa_flags &= ~SA_RESTART
    sigaction(SIGINT, &noticed, nil)
    guard tcsetattr(terminal, TCSAFLUSH, &silent) == 0 else { throw CommandFailure("the terminal's echo cannot be turned off") }
    defer { tcsetattr(terminal, TCSAFLUSH, &settings) }

    _ = prompt.withCString { write(terminal, $0, strlen($0)) }
    guard let line = self.line(from: terminal) else { throw CommandFailure("interrupted") }
    guard let text = String(validating: line, as: UTF8.self) else { throw CommandFailure("the password is not UTF-8") }
    return text
  }

  /// The bytes before the next newline or the end; `nil` when a signal came first.
  private static func line(from terminal: Int32) -> [UInt8]? {
    var line: [UInt8] = []
    var byte: UInt8 = 0
    while line.count < 4096 {
      let count = Foundation.read(terminal, &byte, 1)
      guard count >= 0 else { return nil }
      guard count == 1, byte != UInt8(ascii: "\n") else { break }
      line.append(byte)
    }
    return line
  }
}

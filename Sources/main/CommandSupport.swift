public import ArgumentParser
import Foundation
public import Logging

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// How much a long-running command says about itself.
struct LoggingOptions: ParsableArguments {
  @Option(name: .long, help: "trace, debug, info, notice, warning, error or critical.")
  var logLevel = Logger.Level.notice

  func logger() -> Logger {
    var logger = Logger(label: "sallyport") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = self.logLevel
    return logger
  }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}

/// Prints at once, also into a pipe: what a command prints is often all that a script waits for.
enum StandardOutput {
  static func print(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
  }
}

enum StandardError {
  static func print(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }
}

/// Turns what went wrong into lines on the standard error and exit status 1: a fault in the input, not in the program.
enum Faults {
  static func reported<Value>(_ step: () throws -> Value) throws -> Value {
    do {
      return try step()
    } catch {
      throw self.exit(error)
    }
  }

  static func reported<Value: Sendable>(_ step: () async throws -> Value) async throws -> Value {
    do {
      return try await step()
    } catch {
      throw self.exit(error)
    }
  }

  private static func exit(_ error: any Error) -> ExitCode {
    StandardError.print("\(error)")
    return ExitCode(1)
  }
}

/// How many files and connections the process may have open.
enum OpenFileLimit {
  /// More than this is never needed, and some systems allow a thousand million.
  private static let enough: rlim_t = 1 << 20

  /// Asks for all that is allowed: the soft limit of most shells, 1024, is spent by some 500 watches, two connections each.
  static func raise() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    let wanted = min(limit.rlim_max, self.enough)
    guard limit.rlim_cur < wanted else { return }
    limit.rlim_cur = wanted
    // If it is refused, the limit stays as it was, and the listener says so when it is reached.
    _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }
}

/// What a write cannot do is an error of the write, and not the end of the process: past a limit for the size of files, and
/// to somebody who reads no more.
enum WriteSignals {
  static func areErrors() {
    signal(SIGXFSZ, SIG_IGN)
    signal(SIGPIPE, SIG_IGN)
  }
}

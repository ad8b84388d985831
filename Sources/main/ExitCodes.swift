import ArgumentParser
import Foundation

/// The exit codes that scripts rely on.
enum Exit {
  /// A fault in what was given: a file, a name, a password.
  static let fault = ExitCode(1)
  /// Arguments that do not fit the command.
  static let usage = ExitCode(2)

  /// What was asked about is denied, or a check failed.
  static let denied = ExitCode(3)

  /// Runs a command's work; an error becomes one line on standard error and ``fault``.
  static func reporting(_ work: () throws -> Void) throws {
    do { try work() } catch { throw self.reported(error) }
  }

  static func reporting(_ work: () async throws -> Void) async throws {
    do { try await work() } catch { throw self.reported(error) }
  }

  private static func reported(_ error: any Error) -> ExitCode {
    if let code = error as? ExitCode { return code }
    FileHandle.standardError.write(Data("sallyport: \(error)\n".utf8))
    return self.fault
  }
}

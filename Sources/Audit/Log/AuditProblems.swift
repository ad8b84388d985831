import SallyportCore

extension Problem {
  private static let unwritten = "The request was refused because it could not be recorded."

  /// The log could not be written: disk full, input/output error, …
  static let auditUnwritable = Problem("auditUnwritable", blame: .operator, status: 503, message: unwritten)
  /// So many records wait for the disk that more would only fill the memory.
  static let auditOverloaded = Problem("auditOverloaded", blame: .operator, status: 503, message: unwritten)
  /// The log was closed, because the process is about to end.
  static let auditClosed = Problem("auditClosed", blame: .ourselves, status: 503, message: unwritten, detail: "the audit log is closed")
  /// What was to be appended was no whole line.
  static let auditLineIncomplete = Problem(
    "auditLineIncomplete", blame: .ourselves, status: 503, message: unwritten, detail: "an audit record does not end with a newline")
  /// The directory or a file in it cannot be used.
  static let auditDirectory = Problem("auditDirectory", blame: .operator, status: 503, message: "The audit log cannot be opened.")
  /// The key that signs the log cannot be read or made.
  static let auditKey = Problem("auditKey", blame: .operator, status: 503, message: "The key of the audit log cannot be used.")
  /// Another process writes to the directory.
  static let auditDirectoryInUse = Problem("auditDirectoryInUse", blame: .operator, status: 503, message: "The audit log is in use.")
}

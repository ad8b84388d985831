public import SallyportCore

extension Listener {
  /// Reads the listener's files as a start would, and does not listen.
  ///
  /// - Throws: ``Problem`` that names the file and what is wrong with it
  public static func check(_ configuration: ListenerConfiguration) throws(Problem) {
    guard let files = configuration.tls else { return }
    _ = try ServerTLS(files)
  }

  /// The authorities in a client CA file, DER, for those who judge what these issue.
  ///
  /// - Throws: ``Problem`` that names the file and what is wrong with it
  public static func authorities(in clientCAFile: String) throws(Problem) -> [[UInt8]] {
    try PEMFile.certificates(in: clientCAFile, fault: ListenerProblem.clientCAUnusable)
  }
}

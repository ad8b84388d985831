public import SallyportCore

extension Listener {
  /// Reads the listener's files as a start would, and does not listen.
  ///
  /// - Throws: ``Problem`` that names the file and what is wrong with it
  public static func check(_ configuration: ListenerConfiguration) throws(Problem) {
    guard let files = configuration.tls else { return }
    _ = try ServerTLS(files)
  }
}

public import SallyportCore

/// A listener whose files were read and found good, and which listens nowhere yet.
public struct PreparedListener: Sendable {
  public let configuration: ListenerConfiguration
  let tls: ServerTLS.Prepared?

  /// The authorities whose client certificates it believes: SHA-256 over each, lower-case hexadecimal.
  public var trustAnchors: Set<String> { self.tls?.material.trust?.anchors ?? [] }
}

extension Listener {
  /// Reads the listener's files, and does not listen.
  ///
  /// - Parameter previous: a listener that will take over what is prepared; where its files still hold the same, its
  ///   sessions and its trust go on
  /// - Throws: ``Problem`` that names the file and what is wrong with it
  public static func prepare(
    _ configuration: ListenerConfiguration, replacing previous: Listener? = nil
  ) throws(Problem) -> PreparedListener {
    PreparedListener(
      configuration: configuration,
      tls: try configuration.tls.map { files throws(Problem) in try ServerTLS.prepare(files, previous: previous?.tls) })
  }

  /// The authorities in a client CA file, DER, for those who judge what these issue.
  ///
  /// - Throws: ``Problem`` that names the file and what is wrong with it
  public static func authorities(in clientCAFile: String) throws(Problem) -> [[UInt8]] {
    try PEMFile.certificates(in: clientCAFile, fault: ListenerProblem.clientCAUnusable)
  }
}

public import SallyportConfiguration
import SallyportFiles

/// A configuration that was read from its file, and how its files looked before they were read.
public struct ServedConfiguration: Sendable {
  public let file: String
  public let configuration: GatewayConfiguration
  let files: WatchedFiles
  let stamps: [String: FileStamp]

  /// Reads the configuration file; what it names is only looked at.
  ///
  /// Each look comes before the reading: a file that is changed in between looks changed, and is read once more.
  ///
  /// - Throws: every fault of the file
  public init(file: String) throws(ConfigurationFaults) {
    let own = WatchedFiles(file: file).stamps()
    self.file = file
    self.configuration = try GatewayConfiguration.load(file: file)
    self.files = WatchedFiles(file: file, self.configuration)
    self.stamps = self.files.stamps().merging(own) { _, first in first }
  }
}

/// A process of this machine at the other end of a Unix domain socket, as the kernel knows it.
public struct LocalPeer: Sendable, Hashable, CustomStringConvertible {
  public let process: Int32
  /// The number of the user that it runs as.
  public let user: UInt32

  public init(process: Int32, user: UInt32) {
    self.process = process
    self.user = user
  }

  /// As in the audit record. Numbers alone: what they are called is another machine's to say where users come from a directory.
  public var description: String { "uid \(self.user), pid \(self.process)" }
}

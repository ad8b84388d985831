import Foundation
import NIOConcurrencyHelpers
import SallyportCore

/// The gateway's own token at an upstream, a service account's as a rule: a file that somebody else writes anew before the
/// token in it ends.
///
/// What is in force is kept in memory; ``refresh()`` is called every few seconds, and not by an event loop.
public final class OwnToken: Sendable {
  /// A token as it was read. Another one is another object.
  final class Reading: Sendable {
    let token: Secret
    init(_ token: Secret) { self.token = token }
  }

  public let path: String
  private let reading: NIOLockedValueBox<Reading>

  /// Why a file holds no token: the end of a sentence behind its name.
  public struct Fault: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String
  }

  /// - Throws: ``Fault`` for a file that cannot be read or holds no token
  public init(file path: String) throws(Fault) {
    self.path = path
    self.reading = NIOLockedValueBox(Reading(try Self.read(path)))
  }

  var current: Reading { self.reading.withLockedValue { $0 } }

  /// Reads the file. What was in force stays where it holds the same, or none.
  ///
  /// - Throws: ``Fault``
  public func refresh() throws(Fault) {
    let token = try Self.read(self.path)
    self.reading.withLockedValue { reading in
      if reading.token != token { reading = Reading(token) }
    }
  }

  /// A token of 64 KiB fits into no head.
  private static let mostBytes = 64 * 1024

  private static func read(_ path: String) throws(Fault) -> Secret {
    guard let bytes = FileManager.default.contents(atPath: path) else { throw Fault(description: "cannot be read") }
    var token = bytes[...]
    while let last = token.last, last == 0x0A || last == 0x0D { token.removeLast() }
    guard !token.isEmpty, token.count <= self.mostBytes, token.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw Fault(description: "holds no token: visible characters on one line")
    }
    return Secret(token)
  }
}

public import SallyportCore
import Synchronization

public import struct Foundation.Date

/// The revocation lists of a configuration, kept up with their files.
///
/// Whoever judges by them remembers the ``version`` with the judgement: as long as it is the same the judgement holds, and
/// reading it is one atomic load.
public final class RevocationStore: Sendable {
  /// The paths of the files.
  public let files: [String]
  private let authorities: [(certificate: [UInt8], key: AuthorityKey)]
  private let currentVersion = Atomic<UInt64>(1)
  private let current: Mutex<RevocationLists>
  /// Held while files are read, so that it is done by one at a time.
  private let reading: Mutex<[RevocationFile]>

  /// Reads the files.
  ///
  /// - Parameters:
  ///   - files: PEM or DER, each with one list or several
  ///   - authorities: the certificates, DER, of all authorities whose client certificates are trusted
  /// - Throws: ``RevocationFaults`` with all that is wrong; a list that has ended is not, it refuses by itself
  public init(files: [String], authorities: [[UInt8]]) throws(RevocationFaults) {
    self.files = files
    self.authorities = authorities.compactMap { der in RevocationListDecoder.authority(der).map { (der, $0) } }
    var problems: [Problem] = []
    var read: [RevocationFile] = []
    for path in files {
      var file = RevocationFile(path: path)
      do throws(Problem) {
        _ = try file.read(authorities: self.authorities.map(\.key))
      } catch {
        problems.append(error)
      }
      read.append(file)
    }
    guard problems.isEmpty else { throw RevocationFaults(problems: problems) }
    self.current = Mutex(RevocationLists(read.flatMap(\.lists)))
    self.reading = Mutex(read)
  }

  /// Goes up with each change of the lists.
  public var version: UInt64 { self.currentVersion.load(ordering: .acquiring) }

  /// How many certificates the lists in force revoke.
  public var revokedCount: Int { self.lists.lists.reduce(0) { $0 + $1.revoked.count } }

  var lists: RevocationLists { self.current.withLock { $0 } }

  /// Judges a certificate and its chain: a look-up for each.
  public func judge(_ certificate: VerifiedCertificate, at now: Date) -> RevocationJudgement {
    self.lists.judge(certificate, at: now)
  }

  /// Whether this store is what a configuration with these files and authorities wants, so that it can go on.
  public func isMade(of files: [String], authorities: [[UInt8]]) -> Bool {
    self.files == files && self.authorities.map(\.certificate) == authorities
  }

  /// Reads the files that were written anew. It blocks, so it is nothing for an event loop.
  ///
  /// - Returns: whether other lists are in force now, and what is wrong with a new file; the lists that a broken one would
  ///   have replaced stay in force until they end
  public func reload() -> (changed: Bool, problems: [Problem]) {
    self.reading.withLock { files in
      var hasChanged = false
      var problems: [Problem] = []
      for index in files.indices {
        do throws(Problem) {
          if try files[index].read(authorities: self.authorities.map(\.key)) { hasChanged = true }
        } catch {
          problems.append(error)
        }
      }
      if hasChanged {
        let lists = RevocationLists(files.flatMap(\.lists), previous: self.lists)
        self.current.withLock { $0 = lists }
        self.currentVersion.add(1, ordering: .releasing)
      }
      return (hasChanged, problems)
    }
  }

  /// What an operator should know: lists that are not in force at this time, and authorities that no list speaks for.
  public func warnings(at now: Date) -> [String] {
    let lists = self.lists.lists
    var warnings: [String] = []
    for list in lists {
      if now >= list.nextUpdate {
        warnings.append(
          "\(list.place): the revocation list of \(list.issuerText) ended at \(list.nextUpdate); its certificates are refused")
      } else if list.thisUpdate.addingTimeInterval(-RevocationLists.skew) > now {
        warnings.append("\(list.place): the revocation list of \(list.issuerText) is valid from \(list.thisUpdate) only")
      }
      if case .unknown = list.signer {
        warnings.append(
          "\(list.place): \(list.issuerText) is no authority of a client CA file; the list is used once a client shows that authority's "
            + "certificate, and it is signed by it")
      }
    }
    for authority in self.authorities where !lists.contains(where: { $0.isSigned(by: authority.key) }) {
      warnings.append("the client authority \(authority.key.nameText) has no revocation list; certificates that it issued are refused")
    }
    return warnings
  }

  /// A list as it is in force now.
  public struct Status: Sendable, Hashable {
    /// Its file, and which of it where a file has several.
    public let place: String
    /// The authority's name, as RFC 4514 writes it.
    public let issuer: String
    public let thisUpdate: Date
    /// When it is stale.
    public let nextUpdate: Date
  }

  /// The newest list of each authority that is in force: the one that decides.
  public func status(at now: Date) -> [Status] {
    var newest: [[UInt8]: RevocationList] = [:]
    var order: [[UInt8]] = []
    for list in self.lists.lists where list.thisUpdate.addingTimeInterval(-RevocationLists.skew) <= now {
      if newest[list.issuer] == nil { order.append(list.issuer) }
      if newest[list.issuer].map({ $0.thisUpdate < list.thisUpdate }) ?? true { newest[list.issuer] = list }
    }
    return order.compactMap { newest[$0] }.map {
      Status(place: $0.place, issuer: $0.issuerText, thisUpdate: $0.thisUpdate, nextUpdate: $0.nextUpdate)
    }
  }

  /// When lists begin or end to be in force the next time, if they stay the same.
  public func nextChange(after now: Date) -> Date? { self.lists.nextChange(after: now) }
}

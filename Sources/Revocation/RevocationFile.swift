import SallyportCore

import struct Foundation.Data
import struct Foundation.URL

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file of revocation lists, and what of it is in force.
struct RevocationFile: Sendable {
  /// What tells a file that was written anew.
  private struct Stamp: Equatable {
    let device: UInt64
    let inode: UInt64
    let size: Int64
    let seconds: Int
    let nanoseconds: Int

    /// `nil` while there is no such file. Links are followed: a file of a Kubernetes volume is a link to a link.
    init?(_ path: String) {
      var status = stat()
      guard stat(path, &status) == 0 else { return nil }
      self.device = UInt64(status.st_dev)
      self.inode = UInt64(status.st_ino)
      self.size = Int64(status.st_size)
      #if canImport(Darwin)
        self.seconds = status.st_mtimespec.tv_sec
        self.nanoseconds = status.st_mtimespec.tv_nsec
      #else
        self.seconds = status.st_mtim.tv_sec
        self.nanoseconds = status.st_mtim.tv_nsec
      #endif
    }
  }

  let path: String
  private(set) var lists: [RevocationList] = []
  private var stamp: Stamp?
  private var wasRead = false

  init(path: String) { self.path = path }

  /// Reads the file if it is another than the last time.
  ///
  /// - Parameter authorities: the trusted authorities; a list in the name of one must be signed by one of that name
  /// - Returns: whether other lists are in force now
  /// - Throws: ``Problem`` with what is wrong with the new file; the lists of before stay in force, until they end
  mutating func read(authorities: [AuthorityKey]) throws(Problem) -> Bool {
    let stamp = Stamp(self.path)
    if self.wasRead, stamp == self.stamp { return false }
    // Noted first: what is wrong is told once, and what changes while it is read is read again.
    self.stamp = stamp
    self.wasRead = true
    var lists = try RevocationListDecoder.lists(in: try Self.bytes(of: self.path), named: self.path)
    for index in lists.indices { try Self.verify(&lists[index], authorities) }
    for old in self.lists { try Self.checkAge(of: lists, against: old) }
    self.lists = lists
    return true
  }

  private static func verify(_ list: inout RevocationList, _ authorities: [AuthorityKey]) throws(Problem) {
    let named = authorities.filter { $0.isNamed(list.issuer) }
    // Somebody else's: of an authority between, whose certificate comes with those of the clients.
    guard !named.isEmpty else { return }
    guard let signer = named.first(where: { list.isSigned(by: $0) }) else {
      let mayNot = named.contains { !$0.signsRevocationLists }
      throw RevocationProblem.listUnverified.with(
        detail: "\(list.place): the signature is not that of the authority \(list.issuerText) in the client CA file"
          + (mayNot ? ", whose key usage does not allow it to sign revocation lists" : ""))
    }
    list.signer = .verified(publicKey: signer.publicKey)
  }

  /// A list of yesterday, in the place of today's, would bring back whom it does not know yet.
  private static func checkAge(of lists: [RevocationList], against old: RevocationList) throws(Problem) {
    let successors = lists.filter { list in
      guard RevocationListDecoder.areSameName(old.issuer, list.issuer) else { return false }
      // An authority that was renewed has two lists under one name.
      if case .verified(let oldKey) = old.signer, case .verified(let newKey) = list.signer { return oldKey == newKey }
      return true
    }
    guard let newest = successors.max(by: { $0.thisUpdate < $1.thisUpdate }), newest.thisUpdate < old.thisUpdate else { return }
    throw RevocationProblem.listOlder.with(
      detail: "\(newest.place): was issued at \(newest.thisUpdate), before the list of \(old.issuerText) that is in force "
        + "(\(old.thisUpdate)), which stays; restart to go back to it all the same")
  }

  private static func bytes(of path: String) throws(Problem) -> [UInt8] {
    do {
      return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    } catch {
      throw RevocationProblem.fileUnreadable.with(detail: "\(path): cannot be read: \(error.localizedDescription)")
    }
  }
}

public import SallyportCore
import Synchronization

public import struct Foundation.Date

/// What the revocation lists say about a certificate.
public enum RevocationJudgement: Sendable {
  /// No certificate of the chain was revoked; holds until then, as long as the lists are the same.
  case good(until: Date)
  /// - Parameter until: when to ask again although the lists are the same; `nil` for never
  case refused(Problem, until: Date?)
}

/// The revocation lists that are in force at one time, immutable but for what it remembers.
///
/// Every certificate of a chain is judged, not the leaf alone: each must have been issued by an authority that a list in
/// force speaks for. The trusted authority itself is not judged; whoever distrusts it takes it out of the trust file.
final class RevocationLists: Sendable {
  /// Clocks differ: a list is taken for issued this long before it says so.
  static let skew: Double = 300
  /// More authorities than verified chains will ever show.
  private static let mostAuthorities = 1024

  let lists: [RevocationList]
  /// The lists that each authority signed, by the fingerprint of its certificate.
  private let signed = Mutex<[String: (authority: VerifiedCertificate.Authority, lists: [RevocationList])]>([:])

  /// - Parameter previous: the lists of before: whose authorities were asked about will be again, so that the verification of
  ///   long lists is done here and not on an event loop
  init(_ lists: [RevocationList], previous: RevocationLists? = nil) {
    self.lists = lists
    for authority in previous?.signed.withLock({ $0.values.map(\.authority) }) ?? [] { _ = self.lists(signedBy: authority) }
  }

  func judge(_ certificate: VerifiedCertificate, at now: Date) -> RevocationJudgement {
    var until = Date.distantFuture
    for link in certificate.chain {
      switch self.judge(link, at: now) {
      case .good(let end): until = min(until, end)
      case .refused(let problem, let end):
        return .refused(problem.with(detail: "client certificate \(certificate.fingerprint): \(problem.detail)"), until: end)
      }
    }
    guard !certificate.chain.isEmpty else {
      return .refused(RevocationProblem.listMissing.with(detail: "client certificate \(certificate.fingerprint) has no chain"), until: nil)
    }
    return .good(until: until)
  }

  private func judge(_ link: VerifiedCertificate.Link, at now: Date) -> RevocationJudgement {
    let lists = self.lists(signedBy: link.issuer)
    guard !lists.isEmpty else {
      return .refused(
        RevocationProblem.listMissing.with(
          detail: "no revocation list is signed by \(link.issuer.subject) (authority \(link.issuer.fingerprint))"), until: nil)
    }
    let isIssued: (RevocationList) -> Bool = { $0.thisUpdate.addingTimeInterval(-Self.skew) <= now }
    let next = lists.filter { !isIssued($0) }.map { $0.thisUpdate.addingTimeInterval(-Self.skew) }.min()
    // The newest decides; of several of the same second each may say no.
    guard let newest = lists.filter(isIssued).map(\.thisUpdate).max() else {
      return .refused(RevocationProblem.listEarly.with(detail: "\(lists[0].place) is valid from \(lists[0].thisUpdate)"), until: next)
    }
    var until = next ?? .distantFuture
    for list in lists where list.thisUpdate == newest {
      if list.revoked.contains(link.serial) {
        return .refused(
          RevocationProblem.certificateRevoked.with(
            detail: "serial \(hexadecimal(link.serial)) of \(link.issuer.subject) is revoked by \(list.place)"), until: next)
      }
      guard now < list.nextUpdate else {
        return .refused(RevocationProblem.listStale.with(detail: "\(list.place) ended at \(list.nextUpdate)"), until: next)
      }
      until = min(until, list.nextUpdate)
    }
    return .good(until: until)
  }

  /// The lists that an authority signed. Its certificate is that of a verified chain.
  func lists(signedBy authority: VerifiedCertificate.Authority) -> [RevocationList] {
    if let known = self.signed.withLock({ $0[authority.fingerprint]?.lists }) { return known }
    let key = RevocationListDecoder.authority(authority.der)
    let found = key.map { key in self.lists.filter { $0.isSigned(by: key) } } ?? []
    self.signed.withLock { signed in
      if signed.count >= Self.mostAuthorities { signed.removeAll(keepingCapacity: true) }
      signed[authority.fingerprint] = (authority, found)
    }
    return found
  }

  /// When the next list begins or ends to be in force; `nil` where none will any more.
  func nextChange(after now: Date) -> Date? {
    self.lists.flatMap { [$0.thisUpdate.addingTimeInterval(-Self.skew), $0.nextUpdate] }.filter { $0 > now }.min()
  }
}

func hexadecimal(_ bytes: [UInt8]) -> String {
  let digits = Array("0123456789abcdef".utf8)
  return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 0x0F)]] }, as: UTF8.self)
}

import SallyportCore
import SallyportJOSE

import struct Foundation.Date

extension Authenticator {
  /// Asks everybody once on whom credentials depend: directories, identity providers, endpoints. Each within its own time limit, all
  /// at once; nothing is changed anywhere.
  ///
  /// - Returns: what was found, in the order of the configuration
  public func probe() async -> [ProbeFinding] {
    let looks: [@Sendable () async -> [ProbeFinding]] =
      self.passwords.chain.stores.map { store in { @Sendable () async -> [ProbeFinding] in await store.probe() } } + self.tokens.probes
      + self.parties.all.map { party in { @Sendable () async -> [ProbeFinding] in await party.probe() } }
    return await withTaskGroup(of: (Int, [ProbeFinding]).self) { group in
      for (index, look) in looks.enumerated() { group.addTask { (index, await look()) } }
      var findings = [[ProbeFinding]](repeating: [], count: looks.count)
      for await (index, found) in group { findings[index] = found }
      return findings.flatMap { $0 }
    }
  }
}

extension TokenAuthenticator {
  var probes: [@Sendable () async -> [ProbeFinding]] {
    let sources = self.issuers.compactMap { $0.keys as? KeySetSource }
    let issuers = sources.map { source in { @Sendable () async -> [ProbeFinding] in [await source.probe()] } }
    return issuers + self.judges.map { judge in { @Sendable () async -> [ProbeFinding] in [await judge.probe()] } }
  }
}

extension KeySetSource {
  /// Fetches the issuer's keys, whatever is known of them.
  func probe() async -> ProbeFinding {
    let subject = "issuer \(self.issuer)"
    do throws(ProviderFault) {
      let keys = try await self.fetcher.fetch()
      let unusable = keys.unusable.isEmpty ? "" : "; left out: \(keys.unusable.joined(separator: "; "))"
      return .good(subject, "discovery answers, \(keys.keys.count) key(s) can be used\(unusable)")
    } catch {
      return .bad(subject, error.description)
    }
  }
}

extension RelyingParty {
  /// Fetches the provider's metadata and keys, and looks whether it does what the configuration wants of it.
  func probe() async -> [ProbeFinding] {
    let subject = "sign-in by \(self.settings.issuer)"
    do throws(ProviderFault) {
      let missing = try await self.client.metadata().missing(for: self.settings)
      guard missing.isEmpty else { return [.bad(subject, missing.joined(separator: "; ")), await self.keys.probe()] }
      return [.good(subject, "discovery has what signing in needs"), await self.keys.probe()]
    } catch {
      return [.bad(subject, error.description)]
    }
  }
}

extension TokenJudge {
  /// Asks about a token that nobody issued: the right answer is that it is none.
  func probe() async -> ProbeFinding {
    let madeUp = Secret("sallyport-probe-\(UInt64.random(in: 0...UInt64.max))".utf8)
    switch await self.judgement(of: madeUp, at: { Date() }) {
    case .refused(let detail) where self.refusals.contains(detail):
      return .good(self.subject, "answers, and does not know a token that was made up")
    case .refused(let detail): return .bad(self.subject, "answers a question about a token that was made up, but: \(detail)")
    case .believed: return .bad(self.subject, "vouches for a token that was made up: do not use it")
    case .unknown(let detail): return .bad(self.subject, "\(detail)\(self.cure(detail).map { "; \($0)" } ?? "")")
    }
  }

  private func cure(_ detail: String) -> String? { self.cures.first { detail.contains($0.symptom) }?.cure }
}

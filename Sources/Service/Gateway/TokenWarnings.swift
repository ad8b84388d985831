import SallyportConfiguration
import SallyportStrictYAML

extension GatewayConfiguration {
  /// One who vouches for bearers of tokens, and what the names begin with that come from there.
  private struct Voucher {
    let url: String
    let users: String
    /// `nil` where no groups come from there.
    let groups: String?
    let place: FilePlace
  }

  private var vouchers: [Voucher] {
    ((try? self.jwtIssuers()) ?? []).map { Voucher(url: $0.url, users: $0.username.prefix, groups: $0.groups?.prefix, place: $0.place) }
      + self.authentication.tokens.compactMap { source in
        guard case .introspection(let endpoint) = source else { return nil }
        return Voucher(
          url: endpoint.url, users: endpoint.username.prefix, groups: endpoint.groups?.prefix,
          place: endpoint.clientAuthentication.file.place)
      }
      + self.openIDVouchers
  }

  /// A provider whose Bearer tokens are believed, too, vouches for the same people by both, if their names are made alike.
  private var openIDVouchers: [Voucher] {
    let issuers = (try? self.jwtIssuers()) ?? []
    return (self.authentication.signIn?.oidc ?? []).compactMap { provider in
      let isSame = issuers.contains { issuer in
        issuer.url.utf8.elementsEqual(provider.issuer.utf8) && issuer.username == provider.username && issuer.groups == provider.groups
      }
      return isSame
        ? nil
        : Voucher(url: provider.issuer, users: provider.username.prefix, groups: provider.groups?.prefix, place: provider.place)
    }
  }

  /// Where two who vouch for somebody may vouch for one name: whoever can choose a name at one of them can be the other's
  /// user. Nothing of what cannot be read.
  func tokenWarnings() -> [String] {
    let vouchers = self.vouchers
    // A cluster's names come as they are, like those of certificates and passwords.
    let asksClusters = self.authentication.tokens.contains { if case .tokenReview = $0 { true } else { false } }
    let others = asksClusters || self.authentication.clientCertificates != nil || !self.authentication.passwords.isEmpty
    var warnings: [String] = []
    for (index, voucher) in vouchers.enumerated() {
      func warn(_ problem: String) {
        warnings.append(
          FileFault(.warning, at: voucher.place, problem, "give each issuer a prefix of its own in claimMappings").description)
      }
      for (kind, prefix) in [("users", voucher.users), ("groups", voucher.groups)] {
        guard let prefix else { continue }
        if prefix.isEmpty, others { warn("has an empty prefix: its \(kind) may have the names of those of other ways to sign in") }
        let overlap = vouchers[..<index].first { earlier in
          guard let other = kind == "users" ? earlier.users : earlier.groups else { return false }
          return prefix.hasPrefix(other) || other.hasPrefix(prefix)
        }
        if let overlap { warn("may give its \(kind) the names of those of \(overlap.url), by their prefixes") }
      }
    }
    return warnings
  }
}

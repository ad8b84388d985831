import SallyportCore
import SallyportJOSE
import SallyportJSON

import struct Foundation.Date

/// Asks a cluster whose a token is (`TokenReview`, authentication.k8s.io/v1): the only one who can vouch for service accounts.
struct TokenReview: TokenJudge {
  private let source: TokenReviewSource
  private let identities: TokenIdentities
  let verifier: [UInt8]

  init(_ source: TokenReviewSource, allowSystemNames names: Set<String>) {
    self.source = source
    self.identities = TokenIdentities(names: NameRules(allowSystemNames: names), cluster: source.upstream, leeway: 0)
    var digest = PartsDigest()
    digest.add(["tokenReview", source.upstream])
    digest.add(source.cluster)
    digest.add(source.audiences)
    digest.add(names.sorted())
    self.verifier = digest.finalize()
  }

  private static let notKnown = "the cluster does not know the token"

  var subject: String { "token review at upstream \(self.source.upstream)" }
  var refusals: Set<String> { [Self.notKnown] }
  var cures: [(symptom: String, cure: String)] {
    [
      ("status 401", "it does not believe the credential of the route to it"),
      (
        "status 403",
        "the gateway may not ask: kubectl create clusterrolebinding sallyport-token-review --clusterrole=system:auth-delegator "
          + "--group=sallyport:token-review"
      ),
    ]
  }

  func judgement(of token: Secret, at wall: @Sendable () -> Date) async -> TokenJudgement {
    let answer: JSONValue
    do {
      answer = try JSONReader.read(try await self.source.transport.review(self.document(token)))
    } catch let problem as Problem {
      return .unknown("\(self.source.upstream): \(problem)")
    } catch {
      return .unknown("\(self.source.upstream): the token review cannot be read: \(error)")
    }
    guard answer["kind"]?.string == "TokenReview", let status = answer["status"]?.object else {
      return .unknown("\(self.source.upstream): the answer is no token review")
    }
    // Its `error` is not repeated: nobody promises that it holds nothing of the token.
    guard status["authenticated"] == .bool(true) else { return .refused(Self.notKnown) }
    do throws(TokenRefusal) {
      let facts = try self.facts(status, token)
      if let expires = facts.expires, wall() >= expires { return .refused("the token has expired") }
      return .believed(
        try self.identities.identity(
          of: facts, from: self.issuer(of: token) ?? self.source.upstream, by: .tokenReview, verifier: self.verifier))
    } catch {
      return .refused(error.description)
    }
  }

  // MARK: - The question

  private func document(_ token: Secret) -> Secret {
    var document = Array(#"{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":"#.utf8)
    token.withBytes { Self.append($0, to: &document) }
    if !self.source.audiences.isEmpty {
      document += Array(#","audiences":["#.utf8)
      for (index, audience) in self.source.audiences.enumerated() {
        if index > 0 { document.append(UInt8(ascii: ",")) }
        Self.append(audience.utf8, to: &document)
      }
      document.append(UInt8(ascii: "]"))
    }
    document += Array("}}".utf8)
    return Secret(document)
  }

  /// Text as a JSON string.
  private static func append(_ text: some Sequence<UInt8>, to document: inout [UInt8]) {
    let digits = Array("0123456789abcdef".utf8)
    document.append(UInt8(ascii: "\""))
    for byte in text {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): document += [UInt8(ascii: "\\"), byte]
      case 0..<0x20: document += Array(#"\u00"#.utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      default: document.append(byte)
      }
    }
    document.append(UInt8(ascii: "\""))
  }

  // MARK: - The answer

  private func facts(_ status: [String: JSONValue], _ token: Secret) throws(TokenRefusal) -> TokenFacts {
    guard let user = status["user"]?.object, let username = user["username"]?.string, !username.isEmpty else {
      throw TokenRefusal("the token review names no user")
    }
    guard let groups = user["groups"].map(\.strings) ?? [] else { throw TokenRefusal("the token review's groups are no list of strings") }
    var uid: String?
    if let value = user["uid"] {
      guard let text = value.string else { throw TokenRefusal("the token review's uid is no string") }
      uid = text.isEmpty ? nil : text
    }
    return TokenFacts(
      // Every API server adds it to whoever is somebody.
      username: username, groups: groups.filter { $0 != "system:authenticated" }, uid: uid, extra: try self.extra(user), scopes: [],
      audiences: try self.audiences(status), expires: self.expiry(of: token), subject: nil, tokenID: nil,
      stated: self.source.keptClaims.stated(in: self.claims(of: token) ?? [:]))
  }

  private func extra(_ user: [String: JSONValue]) throws(TokenRefusal) -> [TokenFacts.Extra] {
    guard let members = user["extra"].map(\.object) ?? [:] else { throw TokenRefusal("the token review's extra is no object") }
    var extra: [TokenFacts.Extra] = []
    for (key, value) in members.sorted(by: { $0.key < $1.key }) {
      guard let values = value.strings else { throw TokenRefusal("an extra attribute of the token review is no list of strings") }
      guard NameRules.faultOfForm(key) == nil, key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !(0x41...0x5A).contains($0) }) else {
        throw TokenRefusal("the token review has an extra attribute whose key is none")
      }
      if !values.isEmpty { extra.append(.init(key: key, values: values)) }
    }
    return extra
  }

  /// An API server that does not know of audiences leaves them out: what it says then is not about the ones that were asked for.
  private func audiences(_ status: [String: JSONValue]) throws(TokenRefusal) -> [String] {
    guard let audiences = status["audiences"].map(\.strings) ?? [] else {
      throw TokenRefusal("the token review's audiences are no list of strings")
    }
    guard !self.source.audiences.isEmpty else { return audiences }
    guard self.source.audiences.contains(where: { wanted in audiences.contains { $0.utf8.elementsEqual(wanted.utf8) } }) else {
      throw TokenRefusal("the token is for none of the audiences that were asked for")
    }
    return audiences
  }

  // MARK: - What the token says

  // The cluster has vouched for the token as a whole, so that what it says of itself is true.

  private func claims(of token: Secret) -> [String: JSONValue]? {
    token.withBytes { bytes in (try? SignedToken(bytes))?.claims }
  }

  /// A review says nothing of the token's end, and a belief must not outlive it.
  private func expiry(of token: Secret) -> Date? {
    switch self.claims(of: token)?["exp"] {
    case .integer(let seconds)?: Date(timeIntervalSince1970: Double(seconds))
    case .number(let seconds)?: Date(timeIntervalSince1970: seconds)
    default: nil
    }
  }

  private func issuer(of token: Secret) -> String? { self.claims(of: token)?["iss"]?.string }
}

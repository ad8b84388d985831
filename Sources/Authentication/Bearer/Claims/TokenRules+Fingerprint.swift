import Crypto
import SallyportJOSE

extension TokenRules {
  /// A digest of everything in the rules that a judgement depends on, so that it shows when they are others.
  var fingerprint: [UInt8] {
    var digest = PartsDigest()
    digest.add([self.issuer])
    digest.add(self.audiences)
    digest.add(self.algorithms.map(\.rawValue).sorted())
    digest.add([self.username.claim.description, self.username.prefix])
    digest.add(self.groups.map { [$0.claim.description, $0.prefix] } ?? [])
    digest.add(self.uid.map { [$0.description] + (self.isUIDOptional ? ["optional"] : []) } ?? [])
    digest.add(self.extra.flatMap { [$0.key, $0.claim.description] })
    digest.add(self.requirements.flatMap { [$0.claim.description, $0.requiredValue] })
    digest.add(self.requiredScopes)
    return digest.finalize()
  }
}

/// SHA-256 over lists of texts, where each list stands behind its count and each text behind its length: no two inputs make
/// the same bytes.
struct PartsDigest {
  private var hash = SHA256()

  mutating func add(_ parts: [String]) { self.add(parts.map { Array($0.utf8) }) }

  mutating func add(_ parts: [[UInt8]]) {
    self.add(count: parts.count)
    for part in parts {
      self.add(count: part.count)
      self.hash.update(data: part)
    }
  }

  private mutating func add(count: Int) {
    withUnsafeBytes(of: UInt64(count).bigEndian) { self.hash.update(bufferPointer: $0) }
  }

  func finalize() -> [UInt8] { Array(self.hash.finalize()) }
}

public import SallyportJSON

/// A JSON Web Key Set (RFC 7517 section 5): the keys that an issuer signs with.
public struct KeySet: Sendable {
  public let keys: [JSONWebKey]
  /// Why entries were left out, for the operator's log: their place, and what is wrong with them.
  public let unusable: [String]

  /// Why a document is no key set.
  public struct Fault: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String
  }

  /// More keys than any issuer has; each may cost a verification where a token names none.
  static let mostKeys = 64

  /// Reads a document.
  ///
  /// An unusable key does not make the others unusable (RFC 7517 section 5). Two usable keys of one `kid` are two keys: a
  /// token that names them is tried by both.
  ///
  /// - Throws: ``Fault`` where the document is no key set, holds too many keys, or none that can be used
  public init(_ document: JSONValue) throws(Fault) {
    guard let entries = document["keys"]?.array else { throw Fault(description: "the document has no array `keys`") }
    guard entries.count <= Self.mostKeys else { throw Fault(description: "the document has more than \(Self.mostKeys) keys") }
    var keys: [JSONWebKey] = []
    var unusable: [String] = []
    for (index, entry) in entries.enumerated() {
      do throws(JSONWebKey.Unusable) {
        keys.append(try JSONWebKey(entry))
      } catch {
        unusable.append("keys[\(index)]: \(error)")
      }
    }
    guard !keys.isEmpty else { throw Fault(description: (["the document has no key that can be used"] + unusable).joined(separator: "; ")) }
    self.keys = keys
    self.unusable = unusable
  }

  /// The keys that may have signed a token: those of its `kid`, or, for a token that names none, all that fit.
  ///
  /// A `kid` that the set does not know yields nothing: it never falls back to another key.
  public func candidates(for keyID: String?, _ algorithm: SignatureAlgorithm) -> [VerificationKey] {
    self.keys.lazy.filter { key in
      guard key.key.fits(algorithm) else { return false }
      guard let keyID else { return true }
      // By bytes: Swift's `==` sees through Unicode normalisation.
      return key.keyID.map { $0.utf8.elementsEqual(keyID.utf8) } ?? false
    }.map(\.key)
  }

  /// Whether the set has a key of this name, of whatever type.
  public func knows(_ keyID: String) -> Bool {
    self.keys.contains { $0.keyID.map { $0.utf8.elementsEqual(keyID.utf8) } ?? false }
  }
}

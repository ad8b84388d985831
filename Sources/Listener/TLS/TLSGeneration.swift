import NIOConcurrencyHelpers
import NIOSSL
import SallyportCore

import struct Foundation.Date

/// One server context with everything that hangs on its tickets.
///
/// The context makes the keys that its session tickets are sealed with, so a session is resumed only at the listener and
/// in the generation that it comes from. A resumed handshake skips the verification callback and still shows the ticket's
/// certificate; who that is, is therefore said by the verifications of this generation and by nothing else.
final class TLSGeneration: Sendable {
  let context: NIOSSLContext
  let trust: ClientTrust?
  private let verified: NIOLockedValueBox<BoundedTable<VerifiedClient>>

  /// - Parameter capacity: how many verified certificates are remembered; the oldest is forgotten first, and a client
  ///   that resumes a session with it has to make a new one
  init(context: NIOSSLContext, trust: ClientTrust?, capacity: Int = 16_384) {
    self.context = context
    self.trust = trust
    self.verified = NIOLockedValueBox(BoundedTable(capacity: capacity))
  }

  func remember(_ client: VerifiedClient) {
    self.verified.withLockedValue { $0.insert(client, for: client.certificate.fingerprint) }
  }

  /// The verification of the leaf with this fingerprint, if it was verified here and its chain is still valid.
  func verification(of fingerprint: String, at time: Date) -> VerifiedClient? {
    guard let client = self.verified.withLockedValue({ $0[fingerprint] }), client.isValid(at: time) else { return nil }
    return client
  }
}

/// A dictionary that forgets its oldest entry when it is full.
struct BoundedTable<Value: Sendable>: Sendable {
  private var values: [String: Value] = [:]
  /// The keys in the order in which they came, as a ring once it is full.
  private var order: [String] = []
  private var oldest = 0
  private let capacity: Int

  init(capacity: Int) {
    precondition(capacity > 0)
    self.capacity = capacity
  }

  var count: Int { self.values.count }

  subscript(key: String) -> Value? { self.values[key] }

  mutating func insert(_ value: Value, for key: String) {
    if self.values.updateValue(value, forKey: key) != nil { return }
    if self.order.count < self.capacity {
      self.order.append(key)
    } else {
      self.values[self.order[self.oldest]] = nil
      self.order[self.oldest] = key
      self.oldest = (self.oldest + 1) % self.capacity
    }
  }
}

import Crypto
import NIOConcurrencyHelpers
import NIOCore
import SallyportCore
import X509

/// The private key that the certificates of a process share for a while (docs/decisions/0051).
///
/// It is made in memory, is written nowhere and is replaced after a period; certificates that were made with the one before
/// go on with that until they end.
final class LeafKey: Sendable {
  struct Current: Sendable {
    let publicKey: Certificate.PublicKey
    let presented: PresentedKey
    let replaced: NIODeadline
  }

  private let period: TimeAmount
  private let current: NIOLockedValueBox<Current?> = .init(nil)

  init(period: TimeAmount) { self.period = period }

  func key(at now: NIODeadline) -> Current {
    self.current.withLockedValue { current in
      if let current, now < current.replaced { return current }
      let key = P256.Signing.PrivateKey()
      let new = Current(
        publicKey: Certificate.PublicKey(key.publicKey), presented: PresentedKey(der: Secret(key.derRepresentation)),
        replaced: now + self.period)
      current = new
      return new
    }
  }
}

public import Crypto
public import Foundation
public import SallyportCore
import SallyportJOSE

/// Keeps sign-ins that have begun in the browsers that have begun them: sealed, each in a cookie of its own, for that browser alone.
///
/// Nothing is kept here, so that nobody can fill memory by beginning, and whoever comes back may be answered by another gateway
/// with the same keys. A cookie of its own for each, so that two tabs that begin at the same time do not undo each other's.
public struct FlowSeal: Sendable {
  /// How many may be under way in one browser; another one takes the place of the oldest.
  public static let most = 4
  /// Browsers keep no longer ones.
  private static let longest = 4096

  private let key: SymmetricKey

  /// - Parameter root: a key that gateways share whose sessions are shared; another is derived of it (RFC 5869)
  public init(root: SymmetricKey) {
    self.key = HKDF<SHA256>.deriveKey(inputKeyMaterial: root, info: Data("sallyport/portal/flow/v1".utf8), outputByteCount: 32)
  }

  /// The value of a flow's cookie: AES-256-GCM with the browser's own cookie as additional data, so that it is of no use in another.
  public func seal(_ flow: SignInFlow, for browser: Secret) -> Secret? {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    guard let bytes = try? encoder.encode(flow),
      let sealed = try? AES.GCM.seal(bytes, using: self.key, authenticating: Self.binding(browser)).combined
    else { return nil }
    return Secret(Base64URL.encode(sealed).utf8)
  }

  /// The flow of a cookie; `nil` for one that was sealed by other keys or for another browser, that was changed, or that is over.
  public func open(_ cookie: Secret, for browser: Secret, at now: Date) -> SignInFlow? {
    guard cookie.count <= Self.longest, let bytes = cookie.withBytes({ Base64URL.decode(Array($0)) }),
      let box = try? AES.GCM.SealedBox(combined: bytes),
      let opened = try? AES.GCM.open(box, using: self.key, authenticating: Self.binding(browser)),
      let flow = try? JSONDecoder().decode(SignInFlow.self, from: opened), !flow.isOver(at: now)
    else { return nil }
    return flow
  }

  private static func binding(_ browser: Secret) -> Data { Data("sallyport/flow/".utf8) + browser.withBytes { Data($0) } }

  /// Which of the browser's flow cookies are to go when another is set: those that are none, or none any more, and the oldest of too
  /// many.
  ///
  /// - Parameter presented: what the cookies' names end with, and their values
  public func names(
    toRemoveFrom presented: [(name: String, value: Secret)], for browser: Secret, at now: Date
  ) -> [String] {
    let flows = presented.map { (name: $0.name, flow: self.open($0.value, for: browser, at: now)) }
    let dead = flows.filter { $0.flow?.name != $0.name }.map(\.name)
    let alive = flows.compactMap { entry in entry.flow.flatMap { $0.name == entry.name ? $0 : nil } }
    let oldest = alive.sorted { $0.began < $1.began }.dropLast(Self.most - 1).map(\.name)
    // A name that nobody of ours has given is nothing to write into a field.
    return Array(Set(dead + oldest)).filter(Self.isName).sorted()
  }

  private static func isName(_ name: String) -> Bool {
    name.utf8.count == SignInFlow.nameLength
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
          UInt8(ascii: "-"), UInt8(ascii: "_"):
          true
        default: false
        }
      }
  }
}

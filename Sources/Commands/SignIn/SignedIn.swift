public import Foundation
import SallyportJSON

/// What is kept of a sign-in between two commands.
public struct SignedIn: Sendable, Equatable, Codable, CustomStringConvertible, CustomReflectable {
  /// A token and when it ends.
  public struct Token: Sendable, Equatable, Codable {
    public var text: String
    public var ends: Date

    init(text: String, ends: Date) {
      self.text = text
      self.ends = ends
    }
  }

  /// How a new token is got without asking anybody.
  struct Renewal: Sendable, Equatable, Codable {
    var provider: Provider
    var refreshToken: String
  }

  var token: Token
  /// The user's name, where he signed in by a password: he is asked for that alone the next time.
  var username: String?
  var renewal: Renewal?

  public init(token: Token, username: String? = nil) {
    self.init(token: token, username: username, renewal: nil)
  }

  init(token: Token, username: String? = nil, renewal: Renewal?) {
    self.token = token
    self.username = username
    self.renewal = renewal
  }

  /// The same with the refresh token that a provider gave in place of the one before.
  func renewing(with refreshToken: String) -> SignedIn {
    var copy = self
    copy.renewal?.refreshToken = refreshToken
    return copy
  }

  /// A token is not handed out any more when it ends so soon, in seconds: it must still be good when it arrives.
  static let margin = 15.0

  /// Whether the token may be handed out.
  public func isGood(at now: Date) -> Bool { self.token.ends.timeIntervalSince(now) > Self.margin }

  /// When the present token ends.
  public var ends: Date { self.token.ends }

  public var description: String { "a sign-in until \(self.token.ends)" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}

extension SignedIn.Token: CustomStringConvertible, CustomReflectable {
  public var description: String { "<token until \(self.ends)>" }
  public var customMirror: Mirror { Mirror(self, children: []) }

  /// Reads the answer of a token endpoint (RFC 6749 section 5.1).
  ///
  /// - Throws: ``CommandFailure`` where there is no token, or none that could stand in a header
  init(_ document: JSONValue, member: String, at now: Date, from source: String) throws(CommandFailure) {
    guard let text = document[member]?.string, !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw CommandFailure("\(source) answered without \(member)")
    }
    // A signed token says for itself when it ends; what the endpoint says of another token beside it may be later.
    let seconds = JWTClaims.read(text)?["exp"]?.integer.map { Date(timeIntervalSince1970: Double($0)) }
    let stated = document["expires_in"]?.integer.map { now.addingTimeInterval(Double($0)) }
    guard let ends = [seconds, stated].compactMap({ $0 }).min() else { throw CommandFailure("\(source) does not say when its token ends") }
    self.init(text: text, ends: ends)
  }
}

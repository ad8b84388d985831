public import Foundation

/// Signs a user in for programs such as kubectl, and gives them tokens.
public struct SignIn: Sendable {
  /// The `client_id` where none is named.
  public static let usualClientID = "kubectl"
  /// The session where none is named.
  public static let usualSession = "default"

  let gateway: TokenGateway
  let session: String
  let cache: SignInCache

  public init(gateway: TokenGateway, session: String, cache: SignInCache) {
    self.gateway = gateway
    self.session = session
    self.cache = cache
  }

  private func entry() throws(CommandFailure) -> SignInCache.Entry {
    try self.cache.open(self.gateway.address, clientID: self.gateway.clientID, session: self.session)
  }

  /// Signs in by a password, or by the gateway connection's certificate where there is no name.
  ///
  /// - Throws: ``CommandFailure``; what was there before stays then
  public func signIn(username: String?, password: String?) async throws(CommandFailure) -> SignedIn {
    let token = try await self.gateway.signIn(username: username, password: password)
    let signedIn = SignedIn(token: token, username: username)
    try self.entry().write(signedIn)
    return signedIn
  }

  /// Signs in at a provider by the user's browser.
  ///
  /// - Parameter show: gets the URL that the browser must open
  public func signIn(by flow: CodeFlow, show: @Sendable (String) -> Void) async throws(CommandFailure) -> SignedIn {
    let signedIn = try await self.signedIn(of: try await flow.signIn(show: show), at: flow.provider, before: nil)
    try self.entry().write(signedIn)
    return signedIn
  }

  /// What is kept of what a provider gave.
  private func signedIn(of given: Provider.Given, at provider: Provider, before: String?) async throws(CommandFailure) -> SignedIn {
    let token = provider.exchanges ? try await self.gateway.exchange(given.token.text) : given.token
    // A provider that rotates refresh tokens gives another with each token (RFC 6749 section 6).
    let refreshToken = given.refreshToken ?? before
    return SignedIn(token: token, renewal: refreshToken.map { .init(provider: provider, refreshToken: $0) })
  }

  /// How a user is asked for a password.
  public typealias Ask = @Sendable (_ prompt: String) throws(CommandFailure) -> String

  /// A token that is good for a while: the one that is kept, or a new one.
  ///
  /// - Parameters:
  ///   - certificateSignsIn: whether the gateway connection has a certificate, by which a new token is always to be had
  ///   - ask: asks for the password; `nil` where nobody may be asked
  /// - Throws: ``CommandFailure`` with what the user must do
  public func token(
    certificateSignsIn: Bool = false, at now: Date = Date(), asking ask: Ask?
  ) async throws(CommandFailure) -> SignedIn.Token {
    // Locked until the new one is written: a second kubectl waits, and finds it.
    let entry = try self.entry()
    let known = try entry.read()
    if let known, known.isGood(at: now) { return known.token }
    let renewed = try await self.renewed(known, in: entry, certificateSignsIn: certificateSignsIn, asking: ask)
    try entry.write(renewed)
    return renewed.token
  }

  private func renewed(
    _ known: SignedIn?, in entry: SignInCache.Entry, certificateSignsIn: Bool, asking ask: Ask?
  ) async throws(CommandFailure) -> SignedIn {
    if certificateSignsIn { return SignedIn(token: try await self.gateway.signIn(username: nil, password: nil)) }
    guard let known else { throw self.command("You have not signed in at \(self.gateway.address) yet") }
    if let renewal = known.renewal {
      do throws(CommandFailure) {
        let given = try await renewal.provider.refresh(renewal.refreshToken)
        if let refreshToken = given.refreshToken {
          // At once: the one before is spent, and the gateway may not answer.
          try entry.write(known.renewing(with: refreshToken))
        }
        return try await self.signedIn(of: given, at: renewal.provider, before: renewal.refreshToken)
      } catch {
        throw self.command("Your sign-in at \(self.gateway.address) could not be renewed (\(error))")
      }
    }
    guard let username = known.username, let ask else { throw self.command("Your sign-in at \(self.gateway.address) has ended") }
    let password = try ask("Password of \(username) at \(self.gateway.address)")
    return SignedIn(token: try await self.gateway.signIn(username: username, password: password), username: username)
  }

  private func command(_ what: String) -> CommandFailure {
    var command = "sallyport login --server \(self.gateway.address)"
    if self.gateway.clientID != Self.usualClientID { command += " --client-id \(self.gateway.clientID)" }
    if self.session != Self.usualSession { command += " --session \(self.session)" }
    return CommandFailure("\(what). Run: \(command)")
  }
}

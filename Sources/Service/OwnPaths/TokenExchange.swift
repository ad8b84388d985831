import SallyportAuthentication
import SallyportCredential
import SallyportIssuer

/// Who may get tokens at the token endpoint, as one configuration has it.
struct TokenExchange: Sendable {
  /// By their ids.
  let clients: [String: TokenClient]
  /// Verifies the clients' secrets, with the throttle and the caches of passwords. It knows nobody else.
  let secrets: Authenticator
  /// Which reserved names may stand in a token.
  let names: ReservedNames
}

import NIOCore
import SallyportAudit
import SallyportAuthentication
import SallyportCore
import SallyportCredential
import SallyportIssuer
import SallyportJSON
import SallyportWire

import struct Foundation.Date

/// `POST /.sallyport/token`: gives clients tokens for the gateway itself, or for others whom they are allowed
/// (RFC 8693; RFC 6749 section 4.4 for people who sign in).
///
/// The way of a request, where every step may end it:
/// 1. its head: POST, a form, no query, no impersonation, and of no foreign page;
/// 2. its body, within bounds and read strictly (``TokenRequest``);
/// 3. who is the client? Its secret or certificate says so. A public client has neither: a person who signs in by it
///    authenticates the request instead;
/// 4. whom is the token about? Who signed in, or whom the exchanged token stands for, as the same authenticator says that
///    judges Bearer tokens;
/// 5. what may it say (``TokenGrant``)? It is signed and ends with what proved the identity.
///
/// Cookies are no part of it. Passwords and secrets are throttled as everywhere. The record says who got which token, and has
/// no token in it.
struct TokenEndpoint: Sendable {
  /// A token has no more than 64 KiB, and a form that escapes each byte of it three times as much.
  private static let mostBytes = 256 * 1024

  let generation: Generation
  let issuer: Issuer
  let exchange: TokenExchange

  /// Takes a request, and answers it when its body was read and everybody was asked.
  func take(_ request: StrippedRequest, _ exchange: Exchange) {
    do throws(TokenError) {
      try Self.check(request)
    } catch {
      return self.refuse(error, request, exchange)
    }
    exchange.readBody(atMost: Self.mostBytes) { exchange, body in
      do throws(TokenError) {
        guard let body else { throw TokenError(.invalidRequest, status: 413, "The form is too long.") }
        try self.judge(try TokenRequest(form: body.readableBytesView), request, exchange)
      } catch {
        self.refuse(error, request, exchange)
      }
    }
  }

  private static func check(_ request: StrippedRequest) throws(TokenError) {
    let head = request.head
    guard head.method == .post else { throw TokenError(.invalidRequest, status: 405, "Tokens are asked for by POST.") }
    // What stands in a URI stands in logs (RFC 6749 section 2.3.1).
    guard head.target.query == nil else {
      throw TokenError(.invalidRequest, "Everything is sent in the body; a query is refused.")
    }
    let types = head.fields.all(.contentType)
    guard types.count == 1, Self.isForm(types[0].value) else {
      throw TokenError(.invalidRequest, "The body must be one application/x-www-form-urlencoded form.")
    }
    guard request.impersonation == nil else { throw TokenError(.invalidRequest, "Nobody can be impersonated here.") }
    // A browser adds certificates and Basic credentials by itself, whoever's page asks.
    guard head.fields.all(.origin).isEmpty, head.fields.all(.secFetchSite).isEmpty else {
      throw TokenError(.invalidRequest, status: 403, "Tokens are not for pages in a browser.")
    }
  }

  private static func isForm(_ type: String) -> Bool {
    type.prefix { $0 != ";" }.filter { $0 != " " }.lowercased() == "application/x-www-form-urlencoded"
  }

  // MARK: - Who is the client?

  private func judge(_ asked: TokenRequest, _ request: StrippedRequest, _ exchange: Exchange) throws(TokenError) {
    switch asked.grant {
    case .signIn: try self.signIn(asked, request, exchange)
    case .exchange(let subjectToken):
      if !request.authorization.isEmpty {
        self.wait(
          for: self.exchange.secrets.authenticate(
            request, on: exchange.connection, accepting: .password, eventLoop: exchange.stream.eventLoop), request, exchange
        ) { outcome throws(TokenError) in
          let client = try self.client(provenBy: outcome, asked, request)
          self.judge(subjectToken, asked, of: client, request, exchange)
        }
      } else {
        try self.exchangeWithoutSecret(subjectToken, asked, request, exchange)
      }
    }
  }

  /// The client whose secret was presented.
  private func client(
    provenBy outcome: AuthenticationOutcome, _ asked: TokenRequest, _ request: StrippedRequest
  ) throws(TokenError) -> TokenClient {
    switch outcome {
    case .identified(let identity):
      guard let client = self.exchange.clients[identity.username], client.authentication == .secret,
        asked.clientID.map({ $0.utf8.elementsEqual(client.id.utf8) }) ?? true
      else { throw Self.clientRefused("client_id is another client's") }
      return client
    case .refused(let problem): throw TokenError(problem, as: .invalidClient, status: 401)
    case .nothingPresented: throw Self.clientRefused("no secret was presented")
    }
  }

  private func exchangeWithoutSecret(
    _ subjectToken: Secret, _ asked: TokenRequest, _ request: StrippedRequest, _ exchange: Exchange
  ) throws(TokenError) {
    let client = try self.namedClient(asked)
    switch client.authentication {
    case .secret: throw Self.clientRefused("the client has a secret and did not present it")
    case .none: self.judge(subjectToken, asked, of: client, request, exchange)
    case .certificate(let username):
      let answer = self.generation.authenticator.authenticate(
        request, on: exchange.connection, accepting: .clientCertificate, eventLoop: exchange.stream.eventLoop)
      self.wait(for: answer, request, exchange) { outcome throws(TokenError) in
        switch outcome {
        case .identified(let identity) where identity.username.utf8.elementsEqual(username.utf8):
          self.judge(subjectToken, asked, of: client, request, exchange)
        case .identified: throw Self.clientRefused("the certificate is another's than the client's")
        case .refused(let problem): throw TokenError(problem, as: .invalidClient, status: 401)
        case .nothingPresented: throw Self.clientRefused("the client has a certificate and did not present it")
        }
      }
    }
  }

  private func namedClient(_ asked: TokenRequest) throws(TokenError) -> TokenClient {
    guard let id = asked.clientID else { throw Self.clientRefused("no client_id, and no secret") }
    guard let client = self.exchange.clients.first(where: { $0.key.utf8.elementsEqual(id.utf8) })?.value else {
      throw Self.clientRefused("client_id names nobody")
    }
    return client
  }

  /// Which clients there are is told to nobody: an unknown one, one that is for something else, and a wrong secret look alike.
  private static func clientRefused(_ detail: String) -> TokenError {
    TokenError(.invalidClient, status: 401, "The client is not known, or did not authenticate.", detail: detail)
  }

  // MARK: - Whom is the token about?

  /// A person signs in by a public client: who authenticates the request is the one whom the token is about.
  private func signIn(_ asked: TokenRequest, _ request: StrippedRequest, _ exchange: Exchange) throws(TokenError) {
    let client = try self.namedClient(asked)
    guard case .none(let signIn) = client.authentication else {
      throw Self.clientRefused("the client is not one that people sign in by")
    }
    var accepted: AcceptedMethods = []
    if signIn.password { accepted.insert(.password) }
    if signIn.clientCertificate { accepted.insert(.clientCertificate) }
    guard !accepted.isEmpty else { throw Self.clientRefused("the client is not one that people sign in by") }
    let answer = self.generation.authenticator.authenticate(
      request, on: exchange.connection, accepting: accepted, memory: exchange.stream.memory, eventLoop: exchange.stream.eventLoop)
    self.wait(for: answer, request, exchange) { outcome throws(TokenError) in
      switch outcome {
      case .identified(let identity): try self.issue(asked, to: client, for: identity, exchange)
      case .refused(let problem): throw TokenError(problem, as: .invalidClient, status: 401)
      case .nothingPresented:
        throw TokenError(.invalidClient, status: 401, "Sign in by a user name and a password, or by a client certificate.")
      }
    }
  }

  private func judge(
    _ subjectToken: Secret, _ asked: TokenRequest, of client: TokenClient, _ request: StrippedRequest, _ exchange: Exchange
  ) {
    let answer = self.generation.authenticator.authenticate(token: subjectToken, eventLoop: exchange.stream.eventLoop)
    self.wait(for: answer, request, exchange) { outcome throws(TokenError) in
      switch outcome {
      case .identified(let identity): try self.issue(asked, to: client, for: identity, exchange)
      // RFC 8693 section 2.2.2: a subject token that is no good makes the request invalid.
      case .refused(let problem): throw TokenError(problem, as: .invalidRequest, status: 400)
      case .nothingPresented: throw TokenError(.invalidRequest, "The token was not accepted.")
      }
    }
  }

  // MARK: - What may it say?

  private func issue(_ asked: TokenRequest, to client: TokenClient, for identity: Identity, _ exchange: Exchange) throws(TokenError) {
    exchange.record.subject = .identity(identity)
    let grant = try TokenGrant(asked, to: client, for: identity, usualAudience: OwnAudience.name)
    let token: Issuer.Token
    let now = Date()
    do throws(Problem) {
      try self.exchange.names.check(identity)
      token = try self.issuer.token(
        for: identity, audience: grant.audience, email: Self.email(of: identity, on: exchange.connection),
        client: .init(id: client.id, scopes: grant.scopes), at: now)
    } catch {
      throw TokenError(error, as: .invalidRequest, status: 400)
    }
    let act: IssuedToken.Act = if case .signIn = asked.grant { .signedIn } else { .exchanged }
    exchange.record.issued = IssuedToken(act, id: token.id, audience: grant.audience, client: client.id)
    var members: [String: JSONValue] = [
      "access_token": .string(token.text.withBytes { String(decoding: $0, as: UTF8.self) }), "token_type": .string("Bearer"),
      "expires_in": .integer(max(1, Int64(token.ends.timeIntervalSince(now)))), "issued_token_type": .string(asked.issuedType.rawValue),
    ]
    if !grant.scopes.isEmpty { members["scope"] = .string(grant.scopes.joined(separator: " ")) }
    exchange.answer(OwnResponse(status: 200, body: JSONWriter.write(.object(members))))
  }

  /// The address in a certificate that proves the identity, where it has only one.
  private static func email(of identity: Identity, on connection: ConnectionFacts) -> String? {
    guard identity.method == .clientCertificate, let emails = connection.clientCertificate?.alternativeNames.emails else { return nil }
    return emails.count == 1 ? emails[0] : nil
  }

  // MARK: - Waiting and refusing

  private func wait(
    for answer: Answer<AuthenticationOutcome>, _ request: StrippedRequest, _ exchange: Exchange,
    _ goOn: @escaping (AuthenticationOutcome) throws(TokenError) -> Void
  ) {
    func proceed(_ outcome: AuthenticationOutcome) {
      do throws(TokenError) { try goOn(outcome) } catch { self.refuse(error, request, exchange) }
    }
    switch answer {
    case .now(let outcome): proceed(outcome)
    case .later(let future):
      let eventLoop = exchange.stream.eventLoop
      let bound = NIOLoopBound((exchange, proceed), eventLoop: eventLoop)
      future.hop(to: eventLoop).whenComplete { result in
        let (exchange, proceed) = bound.value
        guard exchange.awaitsAnswer else { return }
        switch result {
        case .success(let outcome): proceed(outcome)
        case .failure(let error): proceed(.refused(Problem.authenticationFailed.with(detail: "\(error)")))
        }
      }
    }
  }

  private func refuse(_ error: TokenError, _ request: StrippedRequest, _ exchange: Exchange) {
    let problem = error.problem
    let body = JSONWriter.write(.object(["error": .string(error.code.rawValue), "error_description": .string(problem.message)]))
    // RFC 6749 section 5.2 asks for the scheme that the client used; one that used none may as well.
    let challenges = problem.status == 401 ? self.generation.authenticator.challenges(for: .password) : []
    exchange.answer(
      OwnResponse(status: problem.status, body: body, challenges: challenges, retryAfterSeconds: problem.retryAfterSeconds),
      problem: problem)
  }
}

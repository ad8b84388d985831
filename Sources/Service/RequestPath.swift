import NIOCore
import SallyportAudit
import SallyportAuthentication
import SallyportCore
import SallyportCredential
import SallyportPolicy
import SallyportUpstream
import SallyportWire

import struct Foundation.Date

/// The way of a request through the house, top to bottom. Nothing walks back, and no station can be left out: each takes
/// the proof that the one before returns.
///
/// Every way out is an answer of the exchange's, and every answer has its audit record.
struct RequestPath {
  let generation: Generation

  /// Walks a request as far as it gets without waiting: a credential that must be looked up suspends it.
  func walk(_ head: RequestHead, _ exchange: Exchange) {
    do throws(Problem) {
      // Nothing by which a client could pass itself off as somebody gets past the door, whatever the path and its end.
      let origin = RequestOrigin(of: head.fields, on: exchange.connection)
      exchange.record.origin = origin
      let stripped = try StrippedRequest(stripping: head, fromTrustedPeer: exchange.connection.isTrustedPeer, origin: origin)
      exchange.record.impersonation = stripped.impersonation
      exchange.record.clientAuditID = stripped.clientAuditID
      exchange.record.upgrade = stripped.upgrade

      // A method that asks the gateway to become something else is not for an upstream to judge.
      guard head.method != .connect, head.method != .trace else { throw .connectRefused }

      // The gateway's own paths never reach an upstream. What is read there is for everybody; people sign in and out there.
      if OwnPaths.covers(head.target.path) {
        if let portal = PortalPath(for: stripped, self.generation) { return try portal.take(stripped, exchange) }
        return exchange.answer(try OwnPaths.document(for: stripped, self.generation, at: Date()))
      }

      // The first route that fits says what is asked of the client, and where the request goes.
      let route = try self.generation.routes.route(for: stripped, on: exchange.connection)
      exchange.record.route = route.name
      exchange.measure.route = route.number

      // The target must read one way only at that upstream: policy, audit and upstream all see this reading.
      let reading = try self.read(stripped, for: route)
      exchange.record.info = reading.info

      // Who is it? A cache answers at once; a password that must be hashed suspends the request.
      let answer = self.generation.authenticator.authenticate(
        stripped, on: exchange.connection, accepting: route.accepts, memory: exchange.stream.memory,
        eventLoop: exchange.stream.eventLoop)
      switch answer {
      case .now(let outcome): self.authenticated(outcome, stripped, reading, route, exchange)
      case .later(let future): self.wait(for: future, stripped, reading, route, exchange)
      }
    } catch {
      if let page = PortalPath.page(for: error, answering: head, self.generation, auditID: exchange.record.auditID.description) {
        exchange.answer(page)
      } else {
        exchange.answer(error)
      }
    }
  }

  /// The way from the moment that the sender is known, or known to be nobody.
  private func authenticated(
    _ outcome: AuthenticationOutcome, _ stripped: StrippedRequest, _ reading: RequestReading, _ route: Route, _ exchange: Exchange
  ) {
    do throws(Problem) {
      let subject = try self.subject(outcome, stripped, route)
      exchange.record.subject = subject
      // Proven, but by what the route asks for? A token without the scope is somebody, and not for this.
      if case .identity(let identity) = subject, let problem = route.problem(for: identity) { throw problem }
      let authenticated = AuthenticatedRequest(stripped, reading: reading, subject: subject)

      // May it? Deny rules win, and what cannot be decided is refused.
      let decision = route.policy.decide(authenticated, from: stripped.origin?.client ?? exchange.connection.clientAddress)
      exchange.record.decision = decision
      guard let permitted = PermittedRequest(authenticated, decision) else {
        throw .denied(decision.denialMessage)
      }

      // What will the upstream believe? Written last, behind everything that the client sent. Most often it is remembered or
      // made at once.
      let credential = try route.credential.credential(
        for: authenticated, on: exchange.connection, memory: exchange.stream.memory, eventLoop: exchange.stream.eventLoop)
      switch credential {
      case .now(let credential): try self.credentialed(permitted, by: credential, route, exchange)
      case .later(let future): self.wait(for: future, permitted, route, exchange)
      }
    } catch {
      self.refuse(error, stripped, route, exchange)
    }
  }

  /// The rest of the way: the answer comes back to the exchange, and leaves once its record is written.
  private func credentialed(
    _ permitted: PermittedRequest, by credential: UpstreamCredential, _ route: Route, _ exchange: Exchange
  ) throws(Problem) {
    let credentialed = try CredentialedRequest(permitted, credential: credential)
    exchange.record.credential = credential.kind
    exchange.record.credentialID = credential.identifier
    exchange.record.upstream = route.upstreamName
    exchange.forward(credentialed, to: route.upstream)
  }

  private func refuse(_ problem: Problem, _ stripped: StrippedRequest, _ route: Route, _ exchange: Exchange) {
    // Whoever comes with a browser is shown where to sign in; everybody else is told what is missing.
    if problem.status == 401, route.accepts.contains(.session), Navigation.isOne(stripped) {
      return exchange.answer(Navigation.toSignIn(from: stripped, because: problem))
    }
    let challenges = self.generation.authenticator.challenges(for: route.accepts, answering: problem, requirement: route.requirement)
    exchange.answer(problem, challenges: Navigation.challenges(challenges, for: stripped, accepting: route.accepts))
  }

  private func read(_ stripped: StrippedRequest, for route: Route) throws(Problem) -> RequestReading {
    do {
      return try RequestReading(stripped, as: route.reading)
    } catch {
      throw Problem(error)
    }
  }

  /// A presented credential that is bad is refused, also on an open path; none at all is enough on an open path alone.
  private func subject(
    _ outcome: AuthenticationOutcome, _ stripped: StrippedRequest, _ route: Route
  ) throws(Problem) -> Subject {
    switch outcome {
    case .identified(let identity): return .identity(identity)
    case .refused(let problem): throw problem
    case .nothingPresented:
      guard stripped.head.method == .get, stripped.impersonation == nil, route.isAnonymous(stripped.head.target.path) else {
        throw .credentialsMissing
      }
      return .anonymous
    }
  }

  private func wait(
    for future: EventLoopFuture<AuthenticationOutcome>, _ stripped: StrippedRequest, _ reading: RequestReading, _ route: Route,
    _ exchange: Exchange
  ) {
    self.pause(exchange, until: future) { path, result, exchange in
      switch result {
      case .success(let outcome): path.authenticated(outcome, stripped, reading, route, exchange)
      case .failure(let error): exchange.answer(Problem.authenticationFailed.with(detail: "\(error)"))
      }
    }
  }

  private func wait(
    for future: EventLoopFuture<UpstreamCredential>, _ permitted: PermittedRequest, _ route: Route, _ exchange: Exchange
  ) {
    self.pause(exchange, until: future) { path, result, exchange in
      do throws(Problem) {
        switch result {
        case .success(let credential): try path.credentialed(permitted, by: credential, route, exchange)
        case .failure(let error): throw error as? Problem ?? .authenticationFailed.with(detail: "\(error)")
        }
      } catch {
        path.refuse(error, permitted.authenticated.stripped, route, exchange)
      }
    }
  }

  /// Reads no more of the request until a future is there, and goes on if anybody still waits for the answer.
  private func pause<Value: Sendable>(
    _ exchange: Exchange, until future: EventLoopFuture<Value>,
    _ goOn: @escaping @Sendable (RequestPath, Result<Value, any Error>, Exchange) -> Void
  ) {
    let eventLoop = exchange.stream.eventLoop
    exchange.stream.setRequestFlow(paused: true)
    let bound = NIOLoopBound((self, exchange), eventLoop: eventLoop)
    future.hop(to: eventLoop).whenComplete { result in
      let (path, exchange) = bound.value
      guard exchange.awaitsAnswer else { return }
      exchange.stream.setRequestFlow(paused: false)
      // What had waited came with that call, and may have been nothing that can be read: then the answer is given.
      guard exchange.awaitsAnswer else { return }
      goOn(path, result, exchange)
    }
  }
}

extension Decision {
  /// What the client reads when it is denied.
  var denialMessage: String {
    switch self {
    case .allow: ""
    case .deny(_, let message): message
    }
  }
}

public import Foundation
public import SallyportCore

/// What a provider sends a browser back with (RFC 6749 section 4.1.2, RFC 9207), read strictly.
public struct Callback: Sendable {
  public enum Answer: Sendable {
    case code(Secret)
    /// `error`, one of the words of the standards or another of theirs.
    case error(String)
  }

  public let state: Secret
  public let answer: Answer
  /// Who says that it answers.
  public let issuer: String?

  /// Why it is no such answer, for the operator; nothing of it.
  public struct Fault: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
  }

  /// A longer code does not fit into the heads of many servers.
  static let longestCode = 4096

  /// - Parameter query: the request's query, as it was sent
  /// - Throws: ``Fault`` for anything but exactly one `state` and one of `code` and `error`, each of them once, of visible ASCII and
  ///   bounded
  public init(query: String?) throws(Fault) {
    guard let query, !query.isEmpty else { throw Fault("the callback has no query") }
    guard let fields = FormFields(query: query.utf8) else { throw Fault("the callback's query cannot be read, or has a name twice") }
    guard let state = fields.secret("state"), state.count == 43 else { throw Fault("the callback has no state of ours") }
    self.state = state
    self.issuer = fields.text("iss")
    guard self.issuer != nil || fields.secret("iss") == nil else { throw Fault("the callback's iss is no text") }
    // Tokens never come this way: whoever sends one wants another flow than was begun.
    for name in ["id_token", "access_token", "response"] where fields.secret(name) != nil {
      throw Fault("the callback has \(name), which nobody has asked for")
    }
    switch (fields.secret("code"), fields.text("error")) {
    case (let code?, nil):
      guard fields.secret("error") == nil else { throw Fault("the callback's error is no text") }
      guard !code.isEmpty, code.count <= Self.longestCode, code.withBytes({ $0.allSatisfy { 0x20...0x7E ~= $0 } }) else {
        throw Fault("the callback's code is empty, too long, or no text")
      }
      self.answer = .code(code)
    case (nil, let error?):
      guard !error.isEmpty, error.utf8.count <= 64,
        error.utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || $0 == UInt8(ascii: "_") })
      else { throw Fault("the callback's error is none") }
      self.answer = .error(error)
    case (nil, nil): throw Fault("the callback has neither code nor error")
    case (_?, _?): throw Fault("the callback has both code and error")
    }
  }
}

/// Decides what a callback is worth in this browser. A value without I/O: the time is told.
public struct CallbackJudge: Sendable {
  public enum Judgement: Sendable {
    /// Exchange the code for tokens; the flow is over, whatever comes of that.
    case redeem(Secret, SignInFlow)
    /// The provider did not sign anybody in.
    case refused(error: String, SignInFlow)
    /// Nobody here has begun this, or it is over; the text is for the operator.
    case foreign(String)
  }

  /// The provider whom this callback path belongs to.
  public let issuer: String
  /// Whether the provider's metadata says that it names itself in every answer (`authorization_response_iss_parameter_supported`).
  public let namesItself: Bool

  public init(issuer: String, namesItself: Bool) {
    self.issuer = issuer
    self.namesItself = namesItself
  }

  /// - Parameters:
  ///   - flows: those of this browser, opened
  ///   - redirectURI: where the callback came to
  public func judge(_ callback: Callback, flows: [SignInFlow], redirectURI: String, at now: Date) -> Judgement {
    // By value, in a time that does not depend on it.
    guard let flow = flows.first(where: { $0.state == callback.state }), !flow.isOver(at: now) else {
      return .foreign("state is none of a sign-in that this browser has begun, or is too old")
    }
    // Whoever answers is who was asked (mix-up, RFC 9700 section 4.4): by the path, which is each provider's own, and by `iss`.
    guard flow.issuer.utf8.elementsEqual(self.issuer.utf8), flow.redirectURI.utf8.elementsEqual(redirectURI.utf8) else {
      return .foreign("the sign-in was begun at another provider, or leads back to another place")
    }
    if let issuer = callback.issuer {
      guard issuer.utf8.elementsEqual(self.issuer.utf8) else { return .foreign("iss is another provider") }
    } else if self.namesItself {
      return .foreign("iss is missing, and the provider's metadata promises it")
    }
    switch callback.answer {
    case .code(let code): return .redeem(code, flow)
    case .error(let error): return .refused(error: error, flow)
    }
  }
}

import SallyportCore
import SallyportWire

/// What one HTTP/1.1 connection to a server is in the middle of.
///
/// It decides three things that must never go wrong: whose bytes are whose, whether the connection may carry another
/// request, and whether a request whose connection died may be sent again.
struct ConnectionStateMachine {
  enum ReceiveAction: Equatable {
    case swallow
    case passInformational
    case passHead
    case passBody
    /// - Parameter reuse: whether another request may travel on the connection
    case finish(reuse: Bool)
    /// The server changes to the protocol that was asked for: what follows is the tunnel's.
    case switchProtocols
    case malformed(String)
  }

  enum BytesAction: Equatable {
    case read
    /// Nobody asked for any: they would be taken for the next request's answer.
    case endConnection
  }

  enum WriteAction: Equatable {
    case write
    /// The request has ended, or is not the one that was announced: written on, it would be read as another request.
    case unfit
  }

  enum Ending: Equatable {
    /// Nobody used the connection.
    case unused
    /// Not a byte of an answer came.
    case beforeAnswer
    /// The answer breaks off.
    case duringAnswer
  }

  private enum RequestProgress: Equatable {
    case bytesLeft(UInt64)
    case chunks
    case sent
  }

  private enum AnswerProgress: Equatable {
    case awaited
    /// Bytes came, the final head did not.
    case begun
    case streaming(keepsConnection: Bool)
  }

  private enum State: Equatable {
    case unused
    case exchanging(RequestProgress, AnswerProgress)
    case closed
  }

  private var state = State.unused
  /// The protocol that the request asks for. Its connection carries no other request, whatever becomes of it.
  private var upgrade: UpgradeProtocol?

  init() {}

  /// Whether the whole request went out.
  var requestIsSent: Bool {
    if case .exchanging(.sent, _) = self.state { true } else { false }
  }

  // MARK: The request

  mutating func requestStarted(framing: BodyFraming, upgrade: UpgradeProtocol? = nil) -> WriteAction {
    guard case .unused = self.state else { return .unfit }
    guard upgrade == nil || !framing.hasContent else { return .unfit }
    self.upgrade = upgrade
    switch framing {
    case .none, .length(0): self.state = .exchanging(.sent, .awaited)
    case .length(let length): self.state = .exchanging(.bytesLeft(length), .awaited)
    case .chunked: self.state = .exchanging(.chunks, .awaited)
    case .untilClose: return .unfit
    }
    return .write
  }

  mutating func bodyPart(_ count: Int) -> WriteAction {
    guard case .exchanging(let request, let answer) = self.state else { return .unfit }
    switch request {
    case .chunks: return .write
    case .bytesLeft(let left):
      guard UInt64(count) <= left else { return .unfit }
      self.state = .exchanging(.bytesLeft(left - UInt64(count)), answer)
      return .write
    case .sent: return count == 0 ? .write : .unfit
    }
  }

  mutating func requestEnded() -> WriteAction {
    guard case .exchanging(let request, let answer) = self.state else { return .unfit }
    switch request {
    case .chunks, .bytesLeft(0), .sent:
      self.state = .exchanging(.sent, answer)
      return .write
    case .bytesLeft: return .unfit
    }
  }

  // MARK: The answer

  /// Bytes came from the server.
  mutating func bytesArrived() -> BytesAction {
    guard case .exchanging(let request, let answer) = self.state else { return .endConnection }
    if answer == .awaited { self.state = .exchanging(request, .begun) }
    return .read
  }

  mutating func received(_ event: ResponseEvent) -> ReceiveAction {
    guard case .exchanging(let request, let answer) = self.state else { return .malformed("an answer that no request asked for") }
    switch (event, answer) {
    case (.informational(let head), .awaited), (.informational(let head), .begun):
      return self.informational(head)
    case (.head(let head), .awaited), (.head(let head), .begun):
      if head.status == 101 { return self.switching(head) }
      self.state = .exchanging(request, .streaming(keepsConnection: head.keepsConnection && head.framing != .untilClose))
      return .passHead
    case (.body, .streaming):
      return .passBody
    case (.end, .streaming(let keepsConnection)):
      // An answer before the request's end leaves the server with bytes to read that it may take for the next request.
      let reuse = keepsConnection && request == .sent && self.upgrade == nil
      self.state = reuse ? .unused : .closed
      return .finish(reuse: reuse)
    case (.informational, .streaming), (.head, .streaming), (.body, _), (.end, _):
      return .malformed("the parts of the answer come out of order")
    }
  }

  /// Where no upgrade was asked for, or another, nothing may switch: the two sides would not agree on what the bytes are.
  private mutating func switching(_ head: ResponseHead) -> ReceiveAction {
    guard let upgrade = self.upgrade else { return .malformed("101 Switching Protocols without an upgrade") }
    let protocols = head.fields.all(.upgrade)
    guard protocols.count == 1, UpgradeProtocol(name: protocols[0].value) == upgrade else {
      return .malformed("101 Switching Protocols to something else than \(upgrade.rawValue)")
    }
    guard head.fields.namesUpgradeInConnection else { return .malformed("101 Switching Protocols without Connection: Upgrade") }
    self.state = .closed
    return .switchProtocols
  }

  private func informational(_ head: ResponseHead) -> ReceiveAction {
    switch head.status {
    case 101: .malformed("101 Switching Protocols without an upgrade")
    // The client's side answers `Expect: 100-continue`, and the field does not go upstream.
    case 100: .swallow
    default: .passInformational
    }
  }

  /// The connection ended, or is ended now.
  mutating func ended() -> Ending {
    defer { self.state = .closed }
    return switch self.state {
    case .unused, .closed: .unused
    case .exchanging(_, .awaited): .beforeAnswer
    case .exchanging(_, .begun), .exchanging(_, .streaming): .duringAnswer
    }
  }
}

extension HeaderFields {
  fileprivate var namesUpgradeInConnection: Bool {
    self.all(.connection).contains { field in
      field.value.split(separator: ",").contains { $0.filter { $0 != " " && $0 != "\t" }.lowercased() == "upgrade" }
    }
  }
}

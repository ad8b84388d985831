import NIOCore
import SallyportAudit
import SallyportCore
import SallyportTunnel
import SallyportWire

// A request that changes its protocol. Nothing of the client's behind its head was read by anybody before the upstream's
// 101, and the 101 leaves behind its `ResponseStarted` record. From there on the two connections are a tunnel's.
extension Exchange {
  func upstreamSwitchedProtocols(_ head: ResponseHead, _ end: any TunnelEnd) {
    guard self.answer.switchReceived() else { return end.cut() }
    self.upstreamEnded()
    self.record.response = AuditRecord.Response(code: head.status)
    self.switching = (ResponseHopByHop.strip(head), end)
    self.write(.responseStarted, then: .answer(of: self))
  }

  func beginTunnel() {
    guard let (head, upstreamEnd) = self.switching else { return }
    self.switching = nil
    guard let upgrade = self.record.upgrade, let clientEnd = self.stream.switchProtocols(Self.naming(upgrade, in: head)) else {
      upstreamEnd.cut()
      return self.tunnelEnded(.broken(.client), TunnelFailure("the connection cannot change its protocol any more"))
    }
    let tunnel = Tunnel(client: clientEnd, upstream: upstreamEnd) { [self] in self.tunnelEnded($0.ending, $0.failure) }
    self.tunnel = tunnel
    tunnel.open()
    // Somebody cut it while its beginning was being recorded.
    if self.record.streamEnd != nil { tunnel.cut() }
  }

  private func tunnelEnded(_ ending: TunnelStateMachine.Ending, _ failure: TunnelFailure?) {
    guard !self.isOver else { return }
    if let tunnel {
      self.record.bytesIn = tunnel.bytesFromClient
      self.record.bytesOut = tunnel.bytesFromUpstream
    }
    self.tunnel = nil
    // What cut it has said why already.
    if self.record.streamEnd == nil { self.record.streamEnd = StreamEnd(ending.reason, nanoseconds: self.age) }
    if let failure { self.record.problem = .tunnelBroken(ending, failure) }
    self.answer.tunnelEnded()
    // Nothing is left that could wait for this record; a failure to write it shows in the log's own state.
    self.write(.responseComplete, then: .nobody)
    self.ended()
  }

  private static func naming(_ upgrade: UpgradeProtocol, in head: ResponseHead) -> ResponseHead {
    var head = head
    do {
      try head.fields.append("Connection", "Upgrade")
      try head.fields.append("Upgrade", upgrade.rawValue)
    } catch {
      assertionFailure("constants are fields: \(error)")
    }
    return head
  }
}

extension TunnelStateMachine.Ending {
  var reason: StreamEnd.Reason {
    switch self {
    case .complete: .complete
    case .broken(.client): .clientLost
    case .broken(.upstream): .upstreamLost
    case .stalled: .stalled
    // Whoever cuts says why; only the end of the process cuts without a word.
    case .cut: .shutdown
    }
  }
}

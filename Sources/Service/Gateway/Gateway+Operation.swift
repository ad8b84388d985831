import NIOConcurrencyHelpers
import SallyportAudit
import SallyportCore
import SallyportListener
import SallyportMetrics
import SallyportUpstream

import struct Foundation.Date

// What the operator sees of a gateway: readiness and metrics.
extension Gateway {
  func addChecks() {
    self.readiness.add("ping") { .ok }
    self.readiness.add("shutdown") { [weak self] in
      self?.state.withLockedValue { $0.isDraining } == false ? .ok : .failed("the gateway is shutting down")
    }
    self.readiness.add("audit") { [log] in
      switch log.state {
      case .writable: .ok
      case .failing(let problem): .failed("no record can be written, so no request is served: \(problem.detail)")
      }
    }
    self.readiness.add("reload") { [reloads] in reloads.readiness }
    self.readiness.add("certificates") { [weak self] in Self.certificates(self?.listeners ?? [], at: Date()) }
    self.readiness.add("revocation") { [weak self] in
      RevocationMetrics.readiness(self?.state.withLockedValue { $0.generation.revocation }, at: Date())
    }
  }

  /// A certificate that has expired keeps nobody from serving whoever does not look; somebody should all the same.
  private static func certificates(_ listeners: [Listener], at now: Date) -> ReadinessState {
    let soon = listeners.compactMap { listener -> String? in
      guard let end = listener.certificateExpires else { return nil }
      if end <= now { return "the certificate of listener \(listener.name) has expired" }
      let days = Int(end.timeIntervalSince(now) / 86_400)
      return days < 7 ? "the certificate of listener \(listener.name) ends in \(days) days" : nil
    }
    return soon.isEmpty ? .ok : .warning(soon.joined(separator: "; "))
  }

  func addMetrics() {
    self.metrics.add { [contexts, continuation] in
      RequestMetrics.families(await contexts.state(), routes: continuation.routeNumbers.all)
    }
    self.metrics.add { [weak self] in
      guard let state = self?.state.withLockedValue({ $0 }) else { return [] }
      var families = Self.families(of: state)
      let upstreams = state.generation.upstreams.values.sorted { $0.name < $1.name }
      var statistics: [(name: String, UpstreamMetrics.Statistics)] = []
      for upstream in upstreams { statistics.append((upstream.name, await upstream.statistics())) }
      families += UpstreamMetrics.families(statistics)
      families += RevocationMetrics.families(state.generation.revocation, at: Date())
      return families
    }
    self.metrics.add { [log, memory = continuation.memory] in
      let isWritable = log.state == .writable
      return AuthenticationMetrics.families(memory) + [
        MetricFamily("sallyport_audit_writable", .gauge, help: "Whether audit records can be written: 1 or 0.", value: isWritable ? 1 : 0),
        MetricFamily(
          "sallyport_audit_waiting_bytes", .gauge, help: "Bytes of audit records that wait for the disk.", value: Double(log.waitingBytes)),
      ]
    }
    self.metrics.add { ProcessMetrics.families() }
  }

  private static func families(of state: State) -> [MetricFamily] {
    [
      MetricFamily(
        "sallyport_connections_open", .gauge, help: "Connections of clients, by listener.",
        samples: state.listeners.map { MetricSample(Double($0.connectionCount), MetricLabel("listener", $0.name)) }),
      MetricFamily(
        "sallyport_certificate_expiry_timestamp_seconds", .gauge,
        help: "When the certificate of a listener ends, as seconds of the Unix epoch.",
        samples: state.listeners.compactMap { listener in
          listener.certificateExpires.map { MetricSample($0.timeIntervalSince1970, MetricLabel("listener", listener.name)) }
        }),
      MetricFamily(
        "sallyport_generation", .gauge, help: "How many configurations the process has had, the present one included.",
        value: Double(state.generation.number)),
    ]
  }
}

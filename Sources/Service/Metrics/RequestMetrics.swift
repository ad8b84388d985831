import SallyportAudit
import SallyportCore
import SallyportMetrics

/// Shows what the event loops counted.
enum RequestMetrics {
  static func families(_ state: LoopState, routes names: [String]) -> [MetricFamily] {
    self.requests(state, names) + self.connections(state.counts)
  }

  private static func requests(_ state: LoopState, _ names: [String]) -> [MetricFamily] {
    var requests = MetricFamily(
      "sallyport_requests_total", .counter, help: "Requests answered, by route, status code and how their sender was known.")
    var durations = MetricFamily(
      "sallyport_request_duration_seconds", .histogram,
      help: "From a request's head to the end of its answer, without streams and tunnels.")
    var upstream = MetricFamily(
      "sallyport_upstream_duration_seconds", .histogram,
      help: "From a request's being given to its upstream to the head of the upstream's answer.")
    var denials = MetricFamily("sallyport_policy_denials_total", .counter, help: "Requests that a policy denied, by the rule that did.")
    var accepted = Tally<LoopCounts.Proof>()
    for (number, counts) in state.counts.routes.enumerated() where number < names.count {
      let route = MetricLabel("route", names[number])
      for entry in counts.outcomes.entries {
        accepted.count(entry.key.proof, entry.count)
        requests.samples.append(
          MetricSample(
            Double(entry.count), route, MetricLabel("code", "\(entry.key.code)"), MetricLabel("authentication", entry.key.proof.label)))
      }
      if counts.whole.count > 0 { durations.samples.append(MetricSample(.distribution(counts.whole), [route])) }
      if counts.upstream.count > 0 { upstream.samples.append(MetricSample(.distribution(counts.upstream), [route])) }
      for entry in counts.denials.entries {
        denials.samples.append(MetricSample(Double(entry.count), route, MetricLabel("rule", entry.key)))
      }
    }
    var authentications = MetricFamily(
      "sallyport_authentications_total", .counter,
      help: "Requests whose sender was known (result `accepted`, by method), and whose credentials were refused, by the reason.")
    for entry in accepted.entries {
      guard case .method(let method) = entry.key else { continue }
      authentications.samples.append(
        MetricSample(Double(entry.count), MetricLabel("method", method.rawValue), MetricLabel("result", "accepted")))
    }
    for entry in state.counts.refusals.entries {
      authentications.samples.append(MetricSample(Double(entry.count), MetricLabel("method", ""), MetricLabel("result", entry.key)))
    }
    let problems = MetricFamily(
      "sallyport_problems_total", .counter, help: "Requests that did not get what they wanted, by the reason and who can mend it.",
      samples: state.counts.problems.entries.map { entry in
        MetricSample(Double(entry.count), MetricLabel("problem", entry.key.code), MetricLabel("blame", entry.key.blame.rawValue))
      })
    let inFlight = MetricFamily(
      "sallyport_requests_in_flight", .gauge, help: "Requests that are not answered yet, without streams and tunnels.",
      value: Double(state.requests))
    let open = MetricFamily(
      "sallyport_streams_open", .gauge, help: "Watches and other streamed answers, and tunnels, that are open.",
      samples: [
        MetricSample(Double(state.streams), MetricLabel("kind", "stream")),
        MetricSample(Double(state.tunnels), MetricLabel("kind", "tunnel")),
      ])
    let ends = MetricFamily(
      "sallyport_streams_ended_total", .counter, help: "Tunnels that ended and streams that were cut, by the reason in their record.",
      samples: StreamEnd.Reason.allCases.map { reason in
        let count = state.counts.streamEnds.entries.first { $0.key == reason }?.count ?? 0
        return MetricSample(Double(count), MetricLabel("reason", reason.rawValue))
      })
    return [requests, durations, upstream, denials, authentications, problems, inFlight, open, ends]
  }

  private static func connections(_ counts: LoopCounts) -> [MetricFamily] {
    let handshakes = MetricFamily(
      "sallyport_tls_handshakes_total", .counter, help: "TLS handshakes that were completed, and what they had of a client certificate.",
      samples: counts.handshakes.entries.map { entry in
        MetricSample(
          Double(entry.count), MetricLabel("listener", entry.key.listener), MetricLabel("version", entry.key.version),
          MetricLabel("client_certificate", entry.key.certificate.rawValue))
      })
    let failures = MetricFamily(
      "sallyport_connections_failed_total", .counter,
      help: "Connections that ended before they carried a request, by the reason: failed handshakes, limits, timeouts.",
      samples: counts.failedConnections.entries.map { MetricSample(Double($0.count), MetricLabel("reason", $0.key)) })
    let records = MetricFamily(
      "sallyport_audit_records_total", .counter, help: "Audit records by series and whether they were written.",
      samples: [("requests", counts.records.requests), ("unauthenticated", counts.records.unauthenticated)].flatMap { name, series in
        [
          MetricSample(Double(series.written), MetricLabel("series", name), MetricLabel("result", "written")),
          MetricSample(Double(series.failed), MetricLabel("series", name), MetricLabel("result", "failed")),
        ]
      })
    return [handshakes, failures, records]
  }
}

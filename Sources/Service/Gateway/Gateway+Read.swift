import Logging
import NIOCore
import SallyportConfiguration
import SallyportCore
import SallyportListener
import SallyportStrictYAML

extension Gateway {
  /// A configuration with all that it names read, and nothing of it in use yet.
  struct Parts: Sendable {
    let generation: Generation
    /// In the order of the configuration.
    let listeners: [PreparedListener]
    let admin: PreparedListener?
  }

  /// Reads everything that the configuration names, and neither listens nor writes.
  ///
  /// - Parameter continuation: what goes on from the generation before
  /// - Throws: ``StartFault`` with all that is wrong.
  static func read(
    _ configuration: GatewayConfiguration, continuing continuation: Continuation = Continuation(), group: any EventLoopGroup,
    logger: Logger
  ) throws(StartFault) -> Parts {
    var faults = FaultCollector()
    for fault in configuration.checkFiles() where fault.severity == .fault { faults.add(fault.description) }
    // A file that is not there was just reported; reading it would only say so again, with less of its place.
    guard faults.isEmpty else { throw faults.fault }
    var listenerFaults = FaultCollector()
    var listeners: [PreparedListener] = []
    for listener in configuration.listeners {
      let prepared = listenerFaults.collect { () throws(Problem) in
        try Listener.prepare(listener.settings(), replacing: continuation.listeners[listener.name])
      }
      if let prepared { listeners.append(prepared) }
    }
    let admin = listenerFaults.collect { () throws(Problem) in
      try configuration.admin.map { admin throws(Problem) in try Listener.prepare(admin.settings) }
    }
    let trustAnchors = Dictionary(uniqueKeysWithValues: listeners.map { ($0.configuration.name, $0.trustAnchors) })
    let generation = faults.collect { () throws(StartFault) in
      try Generation(configuration, continuing: continuation, trustAnchors: trustAnchors, group: group, logger: logger)
    }
    for message in listenerFaults.fault.messages { faults.add(message) }
    guard let generation, faults.isEmpty else { throw faults.fault }
    return Parts(generation: generation, listeners: listeners, admin: admin ?? nil)
  }
}

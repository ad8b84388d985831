import NIOCore

/// The ways into a pod: exec, attach and port-forward, over WebSocket and SPDY/3.1.
extension APIServer {
  static let streamingSubresources: Set = ["exec", "attach", "portforward"]

  /// Answers with the change of the protocol.
  func connect(_ exchange: Exchange, _ route: ResourceRoute) throws(APIError) -> APIResponse {
    // From 1.36 on a WebSocket's GET needs what SPDY's POST needs, beside its own verb.
    let create = AccessAttributes(
      verb: "create", version: "v1", resource: "pods", subresource: route.subresource, namespace: route.namespace, name: route.name)
    guard RoleTable.allows(exchange.user, create, isResourceRequest: true) else {
      throw RoleTable.refusal(of: exchange.user, create, isResourceRequest: true)
    }
    let pod = try self.existing(route)
    let upgrade = try UpgradeRequest(exchange.request.headers)
    let response = try self.upgrade(exchange, route, pod, upgrade)
    var answer = APIResponse(status: 101, body: .upgrade(response))
    answer.headers = response.headers
    return answer
  }

  private func upgrade(
    _ exchange: Exchange, _ route: ResourceRoute, _ pod: StoredObject, _ upgrade: UpgradeRequest
  ) throws(APIError) -> StreamUpgrade {
    if route.subresource == "portforward" { return try self.portForward(exchange, upgrade) }
    let container = try Self.container(exchange.query["container"], of: pod, route)
    let options = try ExecOptions(exchange.query, isAttach: route.subresource == "attach")
    let place = PodPlace(
      namespace: route.namespace, pod: route.name, uid: pod.metadata["uid"]?.string ?? "", container: container, files: self.files)
    let chosen = try upgrade.choose(among: self.spoken(ExecProtocol.all(over: upgrade.kind)))
    let version = ExecProtocol(chosen)
    return StreamUpgrade(headers: upgrade.answer(chosen)) {
      let session = ExecSession(options, place, statusIsJSON: version.statusIsJSON)
      switch upgrade.kind {
      case .spdy: return StreamingHandler(SPDYSession(), session)
      case .webSocket:
        let channels = WebSocketChannels(
          options.webSocketChannels, isBase64: version.isBase64, knowsCloseSignal: version.knowsCloseSignal)
        return StreamingHandler(channels, session)
      }
    }
  }

  private func portForward(_ exchange: Exchange, _ upgrade: UpgradeRequest) throws(APIError) -> StreamUpgrade {
    let spdy = "portforward.k8s.io"
    let tunnelled = "SPDY/3.1+\(spdy)"
    switch upgrade.kind {
    case .spdy:
      let chosen = try upgrade.choose(among: self.spoken([spdy]))
      return StreamUpgrade(headers: upgrade.answer(chosen)) { StreamingHandler(SPDYSession(), PortForwardSession()) }
    case .webSocket:
      let chosen = try upgrade.choose(among: self.spoken([tunnelled, "v4.channel.k8s.io", "v4.base64.channel.k8s.io", ""]))
      if chosen == tunnelled {
        return StreamUpgrade(headers: upgrade.answer(chosen)) { StreamingHandler(WebSocketTunnel(SPDYSession()), PortForwardSession()) }
      }
      let channels = try PortForwardSession.webSocketChannels(exchange.query.all("ports"))
      return StreamUpgrade(headers: upgrade.answer(chosen)) {
        StreamingHandler(WebSocketChannels(channels, isBase64: chosen == "v4.base64.channel.k8s.io"), PortForwardSession())
      }
    }
  }

  private func spoken(_ protocols: [String]) -> [String] { protocols.filter { !self.refusedStreamProtocols.contains($0) } }

  private static func container(_ wanted: String?, of pod: StoredObject, _ route: ResourceRoute) throws(APIError) -> String {
    let containers = (pod[["spec", "containers"]]?.array ?? []).compactMap { $0["name"]?.string }
    guard let wanted, !wanted.isEmpty else {
      guard containers.count < 2 else {
        throw .badRequest(
          "a container name must be specified for pod \(route.name), choose one of: [\(containers.joined(separator: " "))]")
      }
      return containers.first ?? ""
    }
    guard containers.contains(wanted) else { throw .badRequest("container \(wanted) is not valid for pod \(route.name)") }
    return wanted
  }
}

/// A version of the protocol of exec and attach.
struct ExecProtocol {
  private let name: String

  init(_ name: String) { self.name = name }

  static func all(over kind: UpgradeRequest.Kind) -> [String] {
    switch kind {
    case .webSocket:
      ["v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io", "channel.k8s.io", "base64.channel.k8s.io", ""]
    case .spdy: ["v5.channel.k8s.io", "v4.channel.k8s.io"]
    }
  }

  var isBase64: Bool { self.name.contains("base64") }
  var knowsCloseSignal: Bool { self.name.hasPrefix("v5.") }
  /// From version 4 on the error stream carries a `Status`, before that the message alone.
  var statusIsJSON: Bool { self.name.hasPrefix("v4.") || self.name.hasPrefix("v5.") }
}

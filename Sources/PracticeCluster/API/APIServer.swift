import NIOCore
import NIOHTTP1

import struct Foundation.Date
import struct Foundation.UUID

/// The way of a request through the server, in the order of kube-apiserver's handler chain: read, authenticate,
/// impersonate, authorize, route, answer; every request leaves a record.
final class APIServer: Sendable {
  let store: ObjectStore
  let tokens = TokenTable()
  let oidc = OIDCAuthenticator()
  let files = PodFiles()
  let refusedStreamProtocols: Set<String>
  private let recorder: RequestRecorder
  private let serverAddress: String

  init(store: ObjectStore, recorder: RequestRecorder, serverAddress: String, refusedStreamProtocols: Set<String> = []) {
    self.store = store
    self.recorder = recorder
    self.serverAddress = serverAddress
    self.refusedStreamProtocols = refusedStreamProtocols
  }

  /// What must be there before a request can be answered; `nil` for nothing.
  func prepare(for head: HTTPRequestHead, on eventLoop: any EventLoop) -> EventLoopFuture<Void>? {
    head.headers.bearerToken.flatMap { self.oidc.prepare(for: $0, on: eventLoop) }
  }

  func respond(to head: HTTPRequestHead, _ body: ByteBuffer, _ peer: PeerTrust) -> APIResponse {
    var record = RecordedRequest(method: head.method.rawValue, requestURI: head.uri, headers: head.headers)
    var response: APIResponse
    do throws(APIError) {
      guard Self.hostIsUsable(head), let url = GoURL(requestURI: head.uri) else {
        // The HTTP library answers these before any handler runs, in plain text and without a record.
        var response = APIResponse.text("400 Bad Request", status: 400)
        response.closesConnection = true
        response.headers.append(("Server", PracticeCluster.serverName))
        return response
      }
      let request = APIRequest(
        method: head.method.rawValue, uri: head.uri, url: url, headers: head.headers, body: body, peer: peer)
      response = try self.respond(to: request, &record)
    } catch {
      response = error.response
    }
    response.headers.append(("Audit-Id", record.auditID))
    response.headers.append(("Cache-Control", "no-cache, private"))
    response.headers.append(("Server", PracticeCluster.serverName))
    record.status = response.status
    self.recorder.append(record)
    return response
  }

  /// Go's server wants exactly one Host from HTTP/1.1 on.
  private static func hostIsUsable(_ head: HTTPRequestHead) -> Bool {
    let count = head.headers.count { $0.name.lowercased() == "host" }
    return count == 1 || count == 0 && !head.version.knowsChunks
  }

  private func respond(to request: APIRequest, _ record: inout RecordedRequest) throws(APIError) -> APIResponse {
    guard let reading = RequestReading(method: request.method, url: request.url) else {
      return .text(
        "Internal Server Error: \(request.uri.quoted): failed to create RequestInfo: unable to determine kind and namespace from url, "
          + "\(request.url.path)\n", status: 500)
    }
    record.verb = reading.attributes.verb
    try self.checkTimeout(request, reading)
    let proven = try self.authenticate(request, reading)
    record.user = proven.name
    record.groups = proven.groups
    record.uid = proven.uid
    record.extra = proven.extra
    let user = try self.impersonate(proven, request, &record)
    guard RoleTable.allows(user, reading.attributes, isResourceRequest: reading.isResourceRequest) else {
      throw RoleTable.refusal(of: user, reading.attributes, isResourceRequest: reading.isResourceRequest)
    }
    return try self.answer(Exchange(request: request, user: user), Route(method: request.method, path: request.url.path))
  }

  /// `?timeout=` is judged before anybody is asked who they are; watches have none.
  private func checkTimeout(_ request: APIRequest, _ reading: RequestReading) throws(APIError) {
    guard reading.attributes.verb != "watch", let text = request.url.query["timeout"], !text.isEmpty else { return }
    guard let duration = GoDuration.parse(text) else {
      throw .badRequest("invalid timeout specified in the request URL - time: invalid duration \(text.quoted)")
    }
    // Whatever is asked for here is answered from memory, so only a time that no server keeps has run out.
    if duration < .microseconds(100) { throw .timeout("Timeout: request did not complete within the allotted timeout") }
  }

  /// A believed front proxy's headers first, then the client certificate, then a token that this server issued, or somebody
  /// whom it believes.
  private func authenticate(_ request: APIRequest, _ reading: RequestReading) throws(APIError) -> UserInfo {
    let isCurrent = request.peer.notAfter > Date()
    if request.peer.isFrontProxy, isCurrent, let user = HeaderIdentity.user(in: request.headers) { return user.authenticated }
    if let user = request.peer.certificateUser, isCurrent { return user.authenticated }
    if let token = request.headers.bearerToken {
      guard let user = self.tokens.user(of: token) ?? self.oidc.user(of: token) else { throw .unauthorized }
      return user.authenticated
    }
    guard !reading.isResourceRequest, RoleTable.anonymousPaths.contains(request.url.path) else { throw .unauthorized }
    return .anonymous
  }

  private func impersonate(_ user: UserInfo, _ request: APIRequest, _ record: inout RecordedRequest) throws(APIError) -> UserInfo {
    guard let wanted = try Impersonation(request.headers) else { return user }
    record.impersonatedUser = wanted.user.name
    record.impersonatedGroups = wanted.requestedGroups
    for demand in wanted.demands where !RoleTable.allows(user, demand, isResourceRequest: true) {
      throw RoleTable.refusal(of: user, demand, isResourceRequest: true)
    }
    return wanted.user
  }

  private func answer(_ exchange: Exchange, _ route: Route) throws(APIError) -> APIResponse {
    switch route {
    case .resource(let resource): return try self.answer(exchange, resource)
    case .version: return .json(DiscoveryDocuments.version)
    case .coreVersions: return .json(DiscoveryDocuments.coreVersions(serverAddress: self.serverAddress))
    case .groupList: return .json(DiscoveryDocuments.groupList)
    case .group(let name): return .json(DiscoveryDocuments.group(name))
    case .resourceList(let group): return .json(DiscoveryDocuments.resourceList(group: group))
    case .health: return .text("ok")
    case .metrics: return .text("# a practice cluster measures nothing\n")
    case .openAPIv2: return try self.openAPIv2(exchange)
    case .openAPIv3(let name): return self.openAPIv3(exchange, name)
    case .methodNotAllowed: throw .methodNotAllowed
    case .notFound: throw .routeNotFound
    case .unknownPath: return .text("404 page not found\n", status: 404)
    case .serverOptions: return .text("")
    }
  }

  private func answer(_ exchange: Exchange, _ route: ResourceRoute) throws(APIError) -> APIResponse {
    switch route.operation {
    case .get where Self.streamingSubresources.contains(route.subresource),
      .create where Self.streamingSubresources.contains(route.subresource):
      return try self.connect(exchange, route)
    case .get where route.subresource == "log": return try self.log(exchange, route)
    case .get: return try self.get(exchange, route)
    case .list where exchange.query.flag("watch"), .watch: return try self.watch(exchange, route)
    case .list: return try self.list(exchange, route)
    case .create where route.subresource == "token": return try self.issueToken(exchange, route)
    case .create where !route.type.isStored: return try self.review(exchange, route)
    case .create: return try self.create(exchange, route)
    case .update: return try self.update(exchange, route)
    case .patch: return try self.patch(exchange, route)
    case .delete: return try self.delete(exchange, route)
    case .deletecollection: return try self.deleteCollection(exchange, route)
    }
  }
}

/// A request that may be answered, and for whom.
struct Exchange: Sendable {
  let request: APIRequest
  let user: UserInfo

  var query: GoQuery { self.request.url.query }

  func representation(isList: Bool) throws(APIError) -> Representation {
    try Representation(accept: self.request.headers.first(name: "Accept"), query: self.query, isList: isList)
  }
}

extension HTTPHeaders {
  var bearerToken: String? {
    guard let field = self.first(name: "Authorization") else { return nil }
    let parts = field.split(separator: " ", maxSplits: 1)
    return parts.count == 2 && parts[0].lowercased() == "bearer" ? String(parts[1]) : nil
  }
}

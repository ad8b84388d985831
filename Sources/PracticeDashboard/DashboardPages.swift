import Foundation
import Mustache
import NIOHTTP1

/// Finds out what a request wants to see, asks the API for it, and makes the page.
struct DashboardPages: Sendable {
  let api: APIClient
  /// What stands before every path, without a slash at its end.
  let basePath: String

  /// Why there is no page of what was asked for.
  private enum Refusal: Error {
    case status(HTTPResponseStatus, title: String, message: String)
  }

  func answer(_ head: HTTPRequestHead) async -> DashboardAnswer {
    var user: APIObjects.Review.User?
    do {
      guard head.method == .GET || head.method == .HEAD else {
        throw Refusal.status(.methodNotAllowed, title: "Not allowed", message: "These pages can only be read.")
      }
      guard let place = DashboardPlace(head.uri, below: self.basePath) else {
        throw Refusal.status(.notFound, title: "Not found", message: "The dashboard has no such page.")
      }
      if place == .script { return Self.script }
      guard let token = BearerToken(head.headers) else {
        throw Refusal.status(
          .unauthorized, title: "Nobody is signed in",
          message: "The dashboard is for those whom the gateway has signed in: it needs the token that comes with their requests.")
      }
      let review: APIObjects.Review = try await self.read(try await self.api.whoAmI(token), "who you are")
      user = review.status.userInfo
      return try await self.page(of: place, for: review.status.userInfo, token)
    } catch Refusal.status(let status, let title, let message) {
      return self.refusal(status, title, message, user)
    } catch {
      return self.refusal(.badGateway, "The API cannot be reached", "Try again in a moment.", user)
    }
  }

  private func page(of place: DashboardPlace, for user: APIObjects.Review.User, _ token: BearerToken) async throws -> DashboardAnswer {
    switch place {
    case .overview:
      let namespaces: APIObjects.List<APIObjects.Namespace> = try await self.read(
        try await self.api.get("/api/v1/namespaces", as: token), "namespaces")
      return self.answer(
        .ok, "Namespaces", user,
        DashboardTemplates.overview.render(
          [
            "base": self.basePath, "user": user.username, "uid": user.uid.flatMap { $0.isEmpty ? nil : $0 } as Any? ?? false,
            "groups": user.groups ?? [],
            "namespaces": namespaces.items.map {
              ["name": $0.metadata.name, "phase": $0.status?.phase ?? "", "created": $0.metadata.creationTimestamp ?? ""]
            },
          ] as [String: Any]))
    case .pods(let namespace):
      let pods: APIObjects.List<APIObjects.Pod> = try await self.read(
        try await self.api.get("/api/v1/namespaces/\(namespace)/pods", as: token), "pods in \(namespace)")
      return self.answer(
        .ok, "Pods in \(namespace)", user,
        DashboardTemplates.pods.render(
          ["base": self.basePath, "namespace": namespace, "pods": pods.items.map(Self.facts)] as [String: Any]))
    case .secrets(let namespace):
      let secrets: APIObjects.List<APIObjects.Secret> = try await self.read(
        try await self.api.get("/api/v1/namespaces/\(namespace)/secrets", as: token), "secrets in \(namespace)")
      return self.answer(
        .ok, "Secrets in \(namespace)", user,
        DashboardTemplates.secrets.render(
          [
            "base": self.basePath, "namespace": namespace,
            "secrets": secrets.items.map {
              ["name": $0.metadata.name, "type": $0.type ?? "", "created": $0.metadata.creationTimestamp ?? ""]
            },
          ] as [String: Any]))
    case .pod(let name):
      let pod: APIObjects.Pod = try await self.read(try await self.api.get(name.path, as: token), "the pod \(name.name)")
      let containers = (pod.spec?.containers ?? []).map { ["name": $0.name, "image": $0.image ?? ""] }
      return self.answer(
        .ok, "Pod \(name.name)", user,
        DashboardTemplates.pod.render(
          Self.facts(pod).merging(
            [
              "base": self.basePath, "namespace": name.namespace, "address": pod.status?.podIP ?? "", "containers": containers,
            ]) { $1 }))
    case .terminal(let name):
      // There is no terminal in a pod that is not there, or that the user does not see.
      let _: APIObjects.Pod = try await self.read(try await self.api.get(name.path, as: token), "the pod \(name.name)")
      return self.answer(
        .ok, "Terminal in \(name.name)", user,
        DashboardTemplates.terminal.render(["base": self.basePath, "namespace": name.namespace, "name": name.name] as [String: Any]),
        runsScript: true)
    case .exec:
      throw Refusal.status(.badRequest, title: "Not a page", message: "Here the terminal's script opens its WebSocket.")
    case .script: return Self.script
    }
  }

  private static func facts(_ pod: APIObjects.Pod) -> [String: Any] {
    [
      "name": pod.metadata.name, "phase": pod.status?.phase ?? "Unknown", "isRunning": pod.status?.phase == "Running",
      "node": pod.spec?.nodeName ?? "", "created": pod.metadata.creationTimestamp ?? "",
    ]
  }

  private static let script = DashboardAnswer(
    status: .ok,
    headers: ["Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"],
    body: TerminalScript.source)

  /// What the API answers, or why it does not, in its own words.
  private func read<Object: Decodable>(_ answer: APIClient.Answer, _ what: String) async throws -> Object {
    switch answer.status {
    case 200, 201:
      guard let object = try? JSONDecoder().decode(Object.self, from: answer.body) else {
        throw Refusal.status(.badGateway, title: "The API's answer cannot be read", message: "It was asked for \(what).")
      }
      return object
    case 401:
      throw Refusal.status(
        .badGateway, title: "The API does not accept the token",
        message: "The gateway has signed you in here, and does not take the token that it gave you to the API.")
    default:
      let message = (try? JSONDecoder().decode(APIObjects.Failure.self, from: answer.body))?.message
      let status: HTTPResponseStatus = answer.status == 403 ? .forbidden : answer.status == 404 ? .notFound : .badGateway
      throw Refusal.status(
        status, title: status == .forbidden ? "You may not see \(what)" : "There is nothing to see of \(what)",
        message: message ?? "The API answered \(answer.status).")
    }
  }

  // MARK: Answers

  private func answer(
    _ status: HTTPResponseStatus, _ title: String, _ user: APIObjects.Review.User?, _ content: String, runsScript: Bool = false
  ) -> DashboardAnswer {
    let body = DashboardTemplates.layout.render(
      [
        "base": self.basePath, "title": title, "style": DashboardStyle.css, "content": content, "user": user?.username as Any? ?? false,
      ] as [String: Any])
    return DashboardAnswer(
      status: status,
      headers: [
        "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Content-Security-Policy":
          "default-src 'none'; style-src '\(DashboardStyle.hash)'; \(runsScript ? "script-src 'self'; connect-src 'self'; " : "")"
          + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      ], body: body)
  }

  private func refusal(
    _ status: HTTPResponseStatus, _ title: String, _ message: String, _ user: APIObjects.Review.User?
  ) -> DashboardAnswer {
    self.answer(
      status, title, user,
      DashboardTemplates.refusal.render(
        [
          "base": self.basePath, "status": Int(status.code), "title": title, "message": message,
        ] as [String: Any]))
  }
}

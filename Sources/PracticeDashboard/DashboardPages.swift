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

  private enum Place {
    case overview
    case pods(namespace: String)
    case secrets(namespace: String)
  }

  func answer(_ head: HTTPRequestHead) async -> DashboardAnswer {
    var user: APIObjects.Review.User?
    do {
      guard head.method == .GET || head.method == .HEAD else {
        throw Refusal.status(.methodNotAllowed, title: "Not allowed", message: "These pages can only be read.")
      }
      guard let place = self.place(head.uri) else {
        throw Refusal.status(.notFound, title: "Not found", message: "The dashboard has no such page.")
      }
      guard let token = Self.token(in: head.headers) else {
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

  private func page(of place: Place, for user: APIObjects.Review.User, _ token: String) async throws -> DashboardAnswer {
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
          [
            "base": self.basePath, "namespace": namespace,
            "pods": pods.items.map { pod in
              [
                "name": pod.metadata.name, "phase": pod.status?.phase ?? "Unknown", "isRunning": pod.status?.phase == "Running",
                "node": pod.spec?.nodeName ?? "", "created": pod.metadata.creationTimestamp ?? "",
              ] as [String: Any]
            },
          ] as [String: Any]))
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
    }
  }

  // MARK: Requests

  private func place(_ uri: String) -> Place? {
    let path = uri.prefix { $0 != "?" }
    guard path.hasPrefix(self.basePath) else { return nil }
    let parts = path.dropFirst(self.basePath.count).split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
    switch parts.count {
    case 0: return .overview
    case 1 where parts[0].isEmpty: return .overview
    case 2 where parts[0] == "namespaces" && Self.isName(parts[1]): return .pods(namespace: parts[1])
    case 3 where parts[0] == "namespaces" && Self.isName(parts[1]) && parts[2] == "secrets": return .secrets(namespace: parts[1])
    default: return nil
    }
  }

  /// A namespace's name goes into the path of a question, so it must be nothing but one (RFC 1123).
  private static func isName(_ text: String) -> Bool { text.wholeMatch(of: /[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?/) != nil }

  private static func token(in headers: HTTPHeaders) -> String? {
    let values = headers["Authorization"]
    guard values.count == 1, values[0].lowercased().hasPrefix("bearer ") else { return nil }
    let token = values[0].dropFirst("bearer ".count)
    guard !token.isEmpty, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
    return String(token)
  }

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
    _ status: HTTPResponseStatus, _ title: String, _ user: APIObjects.Review.User?, _ content: String
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
          "default-src 'none'; style-src '\(DashboardStyle.hash)'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
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

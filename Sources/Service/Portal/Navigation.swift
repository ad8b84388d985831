import NIOCore
import SallyportAuthentication
import SallyportCore
import SallyportPortal
import SallyportWire

/// Tells a person who goes somewhere with a browser from a program that asks for something.
///
/// Only a person can be led to a page. A script of a dashboard that is answered with a redirect follows it, and reads a sign-in
/// page where it expects JSON; so that it, a WebSocket and every other client are answered 401.
enum Navigation {
  /// Whether the request asks for a page to be shown in a window, without a credential of its own.
  static func isOne(_ request: StrippedRequest) -> Bool {
    let head = request.head
    guard head.method == .get || head.method == .head, request.authorization.isEmpty, request.requestedUpgrade.isEmpty,
      request.impersonation == nil
    else { return false }
    // Browsers say what they are about (https://www.w3.org/TR/fetch-metadata/); no script can.
    if let mode = head.fields.first(named: "Sec-Fetch-Mode") {
      guard mode.value == "navigate" else { return false }
      return head.fields.first(named: "Sec-Fetch-Dest").map { $0.value == "document" } ?? true
    }
    return ErrorResponder.form(for: head) == .page && head.fields.first(named: "X-Requested-With") == nil
  }

  /// The challenges for an answer 401 where sessions are accepted: a browser that is challenged for Basic puts up a window of its
  /// own for a name and a password, also for what a script asked for in the background. There is a page for that.
  static func challenges(_ challenges: [String], for request: StrippedRequest, accepting methods: AcceptedMethods) -> [String] {
    guard methods.contains(.session), request.head.fields.first(named: "Sec-Fetch-Mode") != nil else { return challenges }
    return challenges.filter { !$0.hasPrefix("Basic ") }
  }

  /// Leads to the sign-in page, and from there back to where the browser wanted to go.
  static func toSignIn(from request: StrippedRequest, because problem: Problem) -> OwnPage {
    // What is sent upstream is what the browser asked for; all of it is checked.
    let target = String(validating: request.head.target.forwarded.readableBytesView, as: UTF8.self) ?? ReturnTarget.root
    return .redirect(to: ReturnTarget.signInPath(returningTo: target), problem: problem)
  }
}

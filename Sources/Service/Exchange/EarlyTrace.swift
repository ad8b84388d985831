import SallyportCore
import SallyportWire

extension CredentialedRequest {
  /// Whether a `RequestReceived` record stands in the log before the request is forwarded: it changes something, so that
  /// the change must not happen unrecorded, or it stays, so that a reviewer sees it while it lasts.
  var leavesTraceBeforeForwarding: Bool {
    if self.isLongRunning { return true }
    let authenticated = self.permitted.authenticated
    guard let info = authenticated.reading.info, info.isResourceRequest else { return !authenticated.stripped.head.method.isSafe }
    switch info.verb {
    case "get", "list": return false
    default: return true
    }
  }

  /// Whether the request stays: a change of protocol, and what the API server's own check for long-running requests says
  /// (`BasicLongRunningRequestCheck` as k8s.io/kubernetes sets it up): watches, and the subresources that stream.
  var isLongRunning: Bool {
    let authenticated = self.permitted.authenticated
    if authenticated.stripped.upgrade != nil { return true }
    guard let info = authenticated.reading.info, info.isResourceRequest else { return false }
    switch (info.verb, info.subresource) {
    case ("watch", _), ("proxy", _), (_, "attach"), (_, "exec"), (_, "log"), (_, "portforward"), (_, "proxy"): return true
    default: return false
    }
  }
}

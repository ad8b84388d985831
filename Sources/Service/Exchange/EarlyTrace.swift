import SallyportCore
import SallyportWire

extension CredentialedRequest {
  /// Whether a `RequestReceived` record stands in the log before the request is forwarded: it changes something, so that
  /// the change must not happen unrecorded, or it stays, so that a reviewer sees it while it lasts.
  ///
  /// What stays follows the API server's own check for long-running requests (`BasicLongRunningRequestCheck` as
  /// k8s.io/kubernetes sets it up): watches, and the subresources that stream.
  var leavesTraceBeforeForwarding: Bool {
    let authenticated = self.permitted.authenticated
    guard let info = authenticated.reading.info, info.isResourceRequest else { return !authenticated.stripped.head.method.isSafe }
    switch info.verb {
    case "watch", "proxy": return true
    case "get", "list":
      switch info.subresource {
      case "attach", "exec", "log", "portforward", "proxy": return true
      default: return false
      }
    default: return true
    }
  }
}

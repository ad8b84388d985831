public import SallyportCore
import SallyportWire

/// Tells requests apart that a foreign page made a browser send.
///
/// A browser sends client certificates and Basic credentials by itself, whichever page asks, and the API server accepts
/// any `Origin` (cross-site request forgery, and its sibling with WebSockets). Only what changes something is judged, an
/// unsafe method or a change of protocol: other answers the browser keeps from the foreign page. Clients that are no
/// browsers send neither field and pass.
public enum BrowserOrigin {
  /// What is foreign about a request, as a sentence for the client; `nil` where nothing is.
  public static func foreignness(of request: StrippedRequest) -> String? {
    guard !request.head.method.isSafe || !request.requestedUpgrade.isEmpty else { return nil }
    let fields = request.head.fields
    if !fields.all(.secFetchSite).allSatisfy({ ["same-origin", "none"].contains($0.value) }) {
      return "The request was made by another site's page (Sec-Fetch-Site); it is refused because it could change something."
    }
    let origins = fields.all(.origin)
    guard let origin = origins.first else { return nil }
    guard origins.count == 1, let host = self.host(ofOrigin: origin.value), let own = self.ownHost(request.head), host == own else {
      return "The request was made by a page of another origin (Origin); it is refused because it could change something."
    }
    return nil
  }

  /// The host and port that the client addressed.
  private static func ownHost(_ head: RequestHead) -> String? {
    let hosts = head.fields.all(.host)
    guard hosts.count == 1, let host = hosts.first?.utf8Value, !host.isEmpty else { return nil }
    return self.withoutDefaultPort(host.lowercased())
  }

  /// Host and port of an `https` origin (RFC 6454 section 6.2); `nil` for `null` and for every other scheme.
  ///
  /// An `http` page of the same host is foreign: whoever sits on the network can write it.
  private static func host(ofOrigin origin: String) -> String? {
    let lowered = origin.lowercased()
    guard lowered.hasPrefix("https://") else { return nil }
    return self.withoutDefaultPort(String(lowered.dropFirst("https://".count)))
  }

  private static func withoutDefaultPort(_ host: String) -> String {
    host.hasSuffix(":443") ? String(host.dropLast(":443".count)) : host
  }
}

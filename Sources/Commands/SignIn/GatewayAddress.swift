import Foundation

/// Where a gateway is, in one spelling: what is remembered of a sign-in is found by it.
public struct GatewayAddress: Sendable, Hashable, CustomStringConvertible {
  /// `https://host:port`, in lower case; without the port where that is 443.
  public let description: String

  /// - Throws: ``CommandFailure`` for what is no https URL of a host
  public init(_ text: String) throws(CommandFailure) {
    guard let url = URLComponents(string: text), url.scheme?.lowercased() == "https", let host = url.host, !host.isEmpty, url.user == nil,
      url.query == nil, url.fragment == nil
    else { throw CommandFailure("the server is not an https URL; write it as in https://gateway.example.org:8443") }
    let port = url.port.map { $0 == 443 ? "" : ":\($0)" } ?? ""
    self.description = "https://\(host.lowercased())\(port)"
  }

  /// Where the gateway gives tokens.
  public var tokenEndpoint: String { "\(self.description)/.sallyport/token" }
}

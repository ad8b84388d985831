import SallyportWire

/// An address at a provider that a browser is led to, with what is asked for in its query.
public enum ProviderAddress {
  /// - Parameters:
  ///   - endpoint: as the provider's metadata has it; a query that it has is kept (RFC 6749 section 3.1)
  ///   - parameters: in their order
  public static func with(_ parameters: [(name: String, value: String)], at endpoint: String) -> String {
    let query = parameters.map { "\(PercentEncoding.encode($0.name))=\(PercentEncoding.encode($0.value))" }.joined(separator: "&")
    return endpoint + (endpoint.contains("?") ? endpoint.hasSuffix("?") || endpoint.hasSuffix("&") ? "" : "&" : "?") + query
  }
}

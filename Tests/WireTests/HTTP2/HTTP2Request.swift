import NIOCore
import SallyportWire

/// Reads fields as the front does.
func readHTTP2Request(
  _ fields: [(String, String)], endsStream: Bool = true, limits: MessageLimits = MessageLimits()
) throws(MalformedMessage) -> RequestHead {
  var section = HTTP2RequestSection(limits: limits)
  for (name, value) in fields { try section.add(name, value) }
  return try section.finish(endsStream: endsStream)
}

/// Fields of a good request, with others put in, put behind or taken out.
func http2Request(
  method: String? = "GET", scheme: String? = "https", authority: String? = "cluster.example:6443", path: String? = "/api",
  _ others: [(String, String)] = []
) -> [(String, String)] {
  var fields: [(String, String)] = []
  if let method { fields.append((":method", method)) }
  if let scheme { fields.append((":scheme", scheme)) }
  if let authority { fields.append((":authority", authority)) }
  if let path { fields.append((":path", path)) }
  return fields + others
}

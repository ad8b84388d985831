import NIOCore
import NIOHTTP1

/// Reads the objects and options that clients send.
extension Exchange {
  /// The object in the body.
  ///
  /// - Throws: 415 for anything but JSON and the protobuf of a few types, 400 for text that is none, is no object, or is of another kind
  func object(of kind: String, groupVersion: String) throws(APIError) -> JSON {
    let json = try self.json(allowing: ["application/json", ProtobufReader.mediaType])
    guard json.object != nil else { throw .badRequest("the body of the request was no object") }
    if let sent = json["kind"]?.string, !sent.isEmpty, sent != kind {
      throw .badRequest("\(sent) in version \((json["apiVersion"]?.string ?? "").quoted) cannot be handled as a \(kind)")
    }
    if let sent = json["apiVersion"]?.string, !sent.isEmpty, sent != groupVersion {
      throw .badRequest("the API version in the data (\(sent)) does not match the expected API version (\(groupVersion))")
    }
    return json
  }

  func json(allowing types: Set<String>) throws(APIError) -> JSON {
    if let field = self.request.headers.first(name: "Content-Type"), !field.isEmpty {
      guard let type = MediaType(field), types.contains(type.name) else {
        throw .unsupportedMediaType(
          "the body of the request was in an unknown format - accepted media types include: \(types.sorted().joined(separator: ", "))")
      }
    }
    if let type = self.request.headers.first(name: "Content-Type").flatMap({ MediaType($0) }), type.name == ProtobufReader.mediaType {
      do {
        return try ProtobufReader.object(in: self.request.bodyBytes)
      } catch {
        throw .badRequest(error.description)
      }
    }
    do {
      return try JSONReader.read(self.request.body.readableBytesView)
    } catch {
      throw .badRequest("couldn't get version/kind; json parse error: \(error)")
    }
  }

  /// Whether the query asks for a dry run.
  ///
  /// - Throws: 422 for a value other than `All`
  func isDryRun(_ optionsKind: String, body: JSON = [:]) throws(APIError) -> Bool {
    let values = self.query.all("dryRun") + (body["dryRun"]?.array ?? []).compactMap(\.string)
    if let bad = values.first(where: { $0 != "All" && !$0.isEmpty }) {
      throw APIError(
        422, "Invalid", "\(optionsKind).meta.k8s.io \"\" is invalid: dryRun: Unsupported value: \(bad.quoted): supported values: \"All\"",
        details: ["group": "meta.k8s.io", "kind": .string(optionsKind)])
    }
    return values.contains("All")
  }

  /// Who writes, in the words of managed fields: what the client says, else the first word of its user agent.
  var fieldManager: String {
    if let stated = self.query["fieldManager"], !stated.isEmpty { return stated }
    let product = self.request.userAgent.prefix { $0 != "/" && $0 != " " }
    return product.isEmpty ? "unknown" : String(product)
  }

  var fieldValidation: FieldValidation.Mode { self.query["fieldValidation"].flatMap(FieldValidation.Mode.init) ?? .warn }
}

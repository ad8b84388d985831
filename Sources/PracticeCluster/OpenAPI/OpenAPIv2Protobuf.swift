/// The v2 document in protobuf, the only form that kubectl before 1.26 reads for `explain` and for the validation of
/// `apply`.
///
/// Made from the JSON document, so that both say the same. The field numbers are those of gnostic's `openapi.v2`
/// (github.com/google/gnostic, openapiv2/OpenAPIv2.proto); only what the document holds is written.
enum OpenAPIv2Protobuf {
  static let mediaType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
  /// As clients ask for it; with its `@` it is no media type that they could read themselves.
  static let askedFor: Set = [mediaType, "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"]

  static func bytes(of document: JSON) -> [UInt8] {
    var writer = ProtobufWriter()
    writer.write(1, document["swagger"]?.string)
    writer.write(2) { info in
      info.write(1, document[["info", "title"]]?.string)
      info.write(2, document[["info", "version"]]?.string)
    }
    writer.write(8) { paths in
      for (path, item) in self.sorted(document["paths"]) {
        paths.write(2) { named in
          named.write(1, path)
          named.write(2) { self.write(item, pathItem: &$0) }
        }
      }
    }
    writer.write(9) { self.write(document["definitions"], schemas: &$0) }
    return writer.bytes
  }

  private static func sorted(_ json: JSON?) -> [(key: String, value: JSON)] { (json?.object ?? [:]).sorted { $0.key < $1.key } }

  private static func texts(_ json: JSON?) -> [String] { (json?.array ?? []).compactMap(\.string) }

  private static func write(_ item: JSON, pathItem writer: inout ProtobufWriter) {
    for (number, method) in [(2, "get"), (3, "put"), (4, "post"), (5, "delete"), (8, "patch")] {
      guard let operation = item[method] else { continue }
      writer.write(number) { self.write(operation, operation: &$0) }
    }
  }

  private static func write(_ operation: JSON, operation writer: inout ProtobufWriter) {
    writer.write(1, self.texts(operation["tags"]))
    writer.write(3, operation["description"]?.string)
    writer.write(5, operation["operationId"]?.string)
    writer.write(6, self.texts(operation["produces"]))
    writer.write(7, self.texts(operation["consumes"]))
    for parameter in operation["parameters"]?.array ?? [] {
      writer.write(8) { item in item.write(1) { self.write(parameter, parameter: &$0) } }
    }
    writer.write(9) { responses in
      for (status, response) in self.sorted(operation["responses"]) {
        responses.write(1) { named in
          named.write(1, status)
          named.write(2) { value in
            value.write(1) { message in
              message.write(1, response["description"]?.string)
              if let schema = response["schema"] {
                message.write(2) { item in item.write(1) { self.write(schema, schema: &$0) } }
              }
            }
          }
        }
      }
    }
    writer.write(10, self.texts(operation["schemes"]))
    self.write(extensionsOf: operation, 13, &writer)
  }

  private static func write(_ parameter: JSON, parameter writer: inout ProtobufWriter) {
    let place = parameter["in"]?.string
    if place == "body" {
      writer.write(1) { body in
        body.write(2, parameter["name"]?.string)
        body.write(3, place)
        body.write(4, parameter["required"]?.bool ?? false)
        body.write(5) { self.write(parameter["schema"] ?? [:], schema: &$0) }
      }
      return
    }
    let isQuery = place == "query"
    writer.write(2) { other in
      other.write(isQuery ? 3 : 4) { message in
        message.write(1, parameter["required"]?.bool ?? false)
        message.write(2, place)
        message.write(3, parameter["description"]?.string)
        message.write(4, parameter["name"]?.string)
        message.write(isQuery ? 6 : 5, parameter["type"]?.string)
        message.write(isQuery ? 20 : 19, true)
      }
    }
  }

  private static func write(_ schemas: JSON?, schemas writer: inout ProtobufWriter) {
    for (name, schema) in self.sorted(schemas) {
      writer.write(1) { named in
        named.write(1, name)
        named.write(2) { self.write(schema, schema: &$0) }
      }
    }
  }

  private static func write(_ schema: JSON, schema writer: inout ProtobufWriter) {
    writer.write(1, schema["$ref"]?.string)
    writer.write(2, schema["format"]?.string)
    writer.write(4, schema["description"]?.string)
    writer.write(19, self.texts(schema["required"]))
    if let element = schema["additionalProperties"] {
      writer.write(21) { item in item.write(1) { self.write(element, schema: &$0) } }
    }
    if let type = schema["type"]?.string { writer.write(22) { $0.write(1, type) } }
    if let element = schema["items"] { writer.write(23) { item in item.write(1) { self.write(element, schema: &$0) } } }
    if let properties = schema["properties"] { writer.write(25) { self.write(properties, schemas: &$0) } }
    self.write(extensionsOf: schema, 31, &writer)
  }

  /// The values of extensions are YAML, and JSON is YAML.
  private static func write(extensionsOf json: JSON, _ number: Int, _ writer: inout ProtobufWriter) {
    for (key, value) in self.sorted(json) where key.hasPrefix("x-") {
      writer.write(number) { named in
        named.write(1, key)
        named.write(2) { $0.write(2, value.text) }
      }
    }
  }
}

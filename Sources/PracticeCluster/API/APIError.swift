/// A request that is answered with a `v1.Status`.
///
/// The texts are those of kubernetes/apimachinery pkg/api/errors, since clients show and sometimes match them.
struct APIError: Error, Sendable {
  var status: Int
  var reason: String
  var message: String
  var details: JSON = [:]
  var headers: [(name: String, value: String)] = []

  init(_ status: Int, _ reason: String, _ message: String, details: JSON = [:]) {
    self.status = status
    self.reason = reason
    self.message = message
    self.details = details
  }

  /// The `Status` object.
  var json: JSON {
    var json: JSON = [
      "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure", "message": .string(self.message),
      "reason": .string(self.reason), "code": .integer(Int64(self.status)),
    ]
    if self.reason.isEmpty { json.set(nil, at: "reason") }
    if self.details != [:] { json.set(self.details, at: "details") }
    return json
  }

  var response: APIResponse {
    APIResponse(status: self.status, headers: self.headers, body: .bytes(self.json.bytes))
  }

  static func badRequest(_ message: String) -> APIError { APIError(400, "BadRequest", message) }

  static let unauthorized = APIError(401, "Unauthorized", "Unauthorized")

  /// - Parameter qualified: `pods`, `deployments.apps`; empty for a path
  static func forbidden(_ qualified: String, _ name: String, _ why: String, group: String = "", resource: String = "") -> APIError {
    let subject = qualified.isEmpty ? "" : name.isEmpty ? "\(qualified) is " : "\(qualified) \"\(name)\" is "
    var details: JSON = [:]
    if !name.isEmpty { details.set(.string(name), at: "name") }
    if !group.isEmpty { details.set(.string(group), at: "group") }
    if !resource.isEmpty { details.set(.string(resource), at: "kind") }
    return APIError(403, "Forbidden", "\(subject)forbidden: \(why)", details: details)
  }

  static let routeNotFound = APIError(404, "NotFound", "the server could not find the requested resource", details: [:])

  static func notFound(_ type: ResourceType, _ name: String) -> APIError {
    APIError(404, "NotFound", "\(type.qualifiedName) \(name.quoted) not found", details: type.details(name))
  }

  static let methodNotAllowed = APIError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")

  static func notAcceptable(_ message: String) -> APIError { APIError(406, "NotAcceptable", message) }

  static func alreadyExists(_ type: ResourceType, _ name: String) -> APIError {
    APIError(409, "AlreadyExists", "\(type.qualifiedName) \(name.quoted) already exists", details: type.details(name))
  }

  static func conflict(_ type: ResourceType, _ name: String, _ why: String) -> APIError {
    APIError(
      409, "Conflict", "Operation cannot be fulfilled on \(type.qualifiedName) \(name.quoted): \(why)", details: type.details(name))
  }

  static let modifiedMeanwhile =
    "the object has been modified; please apply your changes to the latest version and try again"

  static func expired(_ message: String) -> APIError { APIError(410, "Expired", message) }

  static func tooLarge(limit: Int) -> APIError {
    APIError(413, "RequestEntityTooLarge", "Request entity too large: limit is \(limit)")
  }

  static func unsupportedMediaType(_ message: String) -> APIError { APIError(415, "UnsupportedMediaType", message) }

  static func invalid(_ type: ResourceType, _ name: String, _ faults: [FieldFault]) -> APIError {
    let text = faults.count == 1 ? faults[0].description : "[" + faults.map(\.description).joined(separator: ", ") + "]"
    var details = type.details(name, kind: type.kind)
    details.set(.array(faults.map(\.cause)), at: "causes")
    let kind = type.group.isEmpty ? type.kind : "\(type.kind).\(type.group)"
    return APIError(422, "Invalid", "\(kind) \(name.quoted) is invalid: \(text)", details: details)
  }

  static func internalError(_ message: String) -> APIError {
    APIError(500, "InternalError", "Internal error occurred: \(message)")
  }

  static func timeout(_ message: String) -> APIError { APIError(504, "Timeout", message) }
}

/// One fault of an object: apimachinery's `field.Error`.
struct FieldFault: Sendable, Hashable, CustomStringConvertible {
  enum Kind: String, Sendable { case required = "FieldValueRequired", invalid = "FieldValueInvalid", forbidden = "FieldValueForbidden" }

  var kind: Kind
  var field: String
  var value: JSON?
  var detail: String

  static func required(_ field: String, _ detail: String) -> FieldFault {
    FieldFault(kind: .required, field: field, value: nil, detail: detail)
  }

  static func invalid(_ field: String, _ value: JSON, _ detail: String) -> FieldFault {
    FieldFault(kind: .invalid, field: field, value: value, detail: detail)
  }

  private var body: String {
    switch self.kind {
    case .required: "Required value: \(self.detail)"
    case .invalid: "Invalid value: \(self.value?.text ?? "null"): \(self.detail)"
    case .forbidden: "Forbidden: \(self.detail)"
    }
  }

  var description: String { "\(self.field): \(self.body)" }

  var cause: JSON {
    ["reason": .string(self.kind.rawValue), "message": .string(self.body), "field": .string(self.field)]
  }
}

extension String {
  /// The text in quotation marks with Go's `%q` escapes, as far as JSON shares them.
  var quoted: String { JSON.string(self).text }
}

import NIOCore
@_spi(Credential) public import SallyportCore
public import SallyportTemplates
public import SallyportWire

/// The fields that a route sets by templates, and those that it removes.
///
/// What depends on the sender alone is rendered once for an identity on a connection, the rest for each request. A field whose
/// template names something that the sender has not is not set; in any case a client's own field of the name goes no further,
/// in whatever spelling, nor as a trailer.
public final class RouteHeaders: Sendable {
  public struct Setting: Sendable {
    public let name: RouteFieldName
    public let template: Template<HeaderTemplateName>

    public init(name: RouteFieldName, template: Template<HeaderTemplateName>) {
      self.name = name
      self.template = template
    }
  }

  /// Longer values are refused, in bytes: whoever has a few hundred groups would not get past most servers.
  static let longestValue = 8192

  private let route: String
  private let names: RouteFieldNames
  private let ofSender: [Setting]
  private let ofRequest: [Setting]

  /// - Parameters:
  ///   - route: the route's name
  ///   - removed: the names of fields that are not set, either
  public init(route: String, settings: [Setting], removed: [RouteFieldName]) {
    self.route = route
    self.names = RouteFieldNames(settings.map(\.name) + removed)
    self.ofSender = settings.filter { !$0.template.names.contains(where: \.isOfRequest) }
    self.ofRequest = settings.filter { $0.template.names.contains(where: \.isOfRequest) }
  }

  /// The fields for one request.
  ///
  /// - Parameters:
  ///   - connection: the client's; its certificate can be named where it proved the identity
  ///   - memory: what the client's connection remembers, where it remembers anything
  /// - Throws: ``Problem`` (403) for a value that cannot be written as it is: nothing is left out to make it fit, since who reads
  ///   the field would take the user for somebody else
  public func fields(
    for subject: Subject, on connection: ConnectionFacts?, memory: ConnectionMemory?, auditID: @autoclosure () -> String
  ) throws(Problem) -> RouteFields {
    let identity: Identity? = if case .identity(let identity) = subject { identity } else { nil }
    let fields: RouteFields
    if let identity, let last = memory?.routeFields, last.holds(for: identity, by: self) {
      fields = last.fields
    } else {
      fields = RouteFields(lines: try self.lines(self.ofSender, of: identity, on: connection, auditID: ""), names: self.names)
      if let identity { memory?.routeFields = RememberedRouteFields(fields, of: identity, by: self) }
    }
    guard !self.ofRequest.isEmpty else { return fields }
    var lines = fields.lines
    lines.writeImmutableBuffer(try self.lines(self.ofRequest, of: identity, on: connection, auditID: auditID()))
    return RouteFields(lines: lines, names: self.names)
  }

  private func lines(
    _ settings: [Setting], of identity: Identity?, on connection: ConnectionFacts?, auditID: String
  ) throws(Problem) -> ByteBuffer {
    let certificate = identity?.method == .clientCertificate ? connection?.clientCertificate : nil
    var fields = HeaderFields()
    for setting in settings {
      let rendered = setting.template.render { [route] name in
        switch name {
        case .auditID: .text(auditID)
        case .route: .text(route)
        default: identity?.value(of: name, certificate)
        }
      }
      switch rendered {
      case .missing: continue
      case .unfit(_, let reason): throw .headerNotWritable.with(detail: "a value for \(setting.name) \(reason.rawValue)")
      case .text(let text):
        let value = Self.trimmed(text)
        if value.isEmpty { continue }
        guard value.utf8.count <= Self.longestValue else {
          throw .headerNotWritable.with(
            detail: "the value for \(setting.name) has \(value.utf8.count) bytes, and may have \(Self.longestValue)")
        }
        do throws(FieldError) {
          try fields.append(setting.name.description, value)
        } catch {
          throw .headerNotWritable.with(detail: error.description)
        }
      }
    }
    var lines = ByteBufferAllocator().buffer(capacity: fields.byteCount)
    fields.write(to: &lines)
    return lines
  }

  /// Blanks at the ends are the template's: no value has any. They are no part of a field's value (RFC 9110 section 5.5).
  private static func trimmed(_ text: String) -> String {
    var rest = Substring(text).drop { $0 == " " }
    while rest.last == " " { rest.removeLast() }
    return String(rest)
  }
}

extension Identity {
  /// What a name of a template stands for.
  fileprivate func value(of name: HeaderTemplateName, _ certificate: VerifiedCertificate?) -> TemplateValue? {
    switch name {
    case .user: return .text(self.username)
    case .uid: return self.uid.map(TemplateValue.text)
    case .groups: return .list(self.groups)
    case .extra(let key):
      // By bytes: Swift's own comparison sees through Unicode normalisation.
      return self.extra.first { $0.key.utf8.elementsEqual(key.utf8) }.map { .list($0.values) }
    case .claim(let path):
      switch self.token?.stated[path] {
      case .text(let text)?: return .text(text)
      case .flag(let flag)?: return .flag(flag)
      case .list(let items)?: return .list(items)
      case nil: return nil
      }
    case .certificate(let part): return certificate.flatMap { $0.value(of: part) }
    case .auditID, .route: return nil
    }
  }
}

extension VerifiedCertificate {
  fileprivate func value(of part: CertificatePart) -> TemplateValue? {
    switch part {
    case .subject: .text(self.subject)
    case .issuer: .text(self.issuer)
    case .serial: .text(self.serial)
    case .fingerprint: .text(self.fingerprint)
    case .sans: .list(self.alternativeNames.emails + self.alternativeNames.uris + self.alternativeNames.dnsNames)
    case .emailSANs: .list(self.alternativeNames.emails)
    case .uriSANs: .list(self.alternativeNames.uris)
    case .dnsSANs: .list(self.alternativeNames.dnsNames)
    }
  }
}

extension Problem {
  static let headerNotWritable = Problem(
    "headerNotWritable", blame: .operator, status: 403,
    message:
      "Something that the upstream server would be told of you cannot be written in a header; the gateway's operator has the details.")
}

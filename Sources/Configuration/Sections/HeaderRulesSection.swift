import SallyportStrictYAML
public import SallyportTemplates
public import SallyportWire

extension GatewayConfiguration.Route {
  /// The fields that a route sets and removes on the way to its upstream.
  public struct HeaderRules: Sendable, Equatable {
    public struct Setting: Sendable, Equatable {
      public let name: RouteFieldName
      public let template: Template<HeaderTemplateName>
    }

    /// In the file's order; no name twice, in no spelling.
    public let set: [Setting]
    /// None that is set.
    public let remove: [RouteFieldName]

    public var isEmpty: Bool { self.set.isEmpty && self.remove.isEmpty }
    /// Everything that the templates name.
    var names: Set<HeaderTemplateName> { Set(self.set.flatMap(\.template.names)) }
  }
}

extension GatewayConfiguration {
  /// The claims of tokens that templates name, in a fixed order: no other need be kept.
  public var claimsInTemplates: [String] {
    let names = self.routes.flatMap(\.headers.names)
    return Set(names.compactMap { name -> String? in if case .claim(let path) = name { path } else { nil } }).sorted()
  }
}

extension GatewayConfiguration.Route.HeaderRules {
  init(set: YAMLCursor?, remove: YAMLCursor?) {
    var names: Set<RouteFieldName> = []
    var settings: [Setting] = []
    for (key, yaml) in set?.dictionary({ _, yaml in yaml }) ?? [] {
      let name = Self.name(key, yaml, ofKey: true)
      if let name, !names.insert(name).inserted {
        yaml.fault("stands under a name that is set already, in a spelling that servers take for the same", "remove one of the two")
      }
      guard let template = Self.template(yaml), let name else { continue }
      settings.append(Setting(name: name, template: template))
    }
    let removed = remove?.list(atLeast: 1) { yaml -> RouteFieldName? in
      guard let text = yaml.text(), let name = Self.name(text, yaml, ofKey: false) else { return nil }
      guard names.insert(name).inserted else {
        yaml.fault("is set or removed already", "remove it: a client's own field of a name that is set never goes on")
        return nil
      }
      return name
    }
    self.set = settings
    self.remove = removed ?? []
  }

  private static func name(_ text: String, _ yaml: YAMLCursor, ofKey: Bool) -> RouteFieldName? {
    func fault(_ problem: String, _ remedy: String) -> RouteFieldName? {
      yaml.fault(ofKey ? "stands under a name that \(problem)" : problem, remedy)
      return nil
    }
    do throws(RouteFieldName.Fault) {
      return try RouteFieldName(text)
    } catch {
      switch error {
      case .notAToken: return fault("is no header's name", "use letters, digits and `-`")
      case .reserved: return fault("is not a route's to set or remove", "choose a name of your own, as in X-Token-Subject")
      }
    }
  }

  private static func template(_ yaml: YAMLCursor) -> Template<HeaderTemplateName>? {
    yaml.parsed { text throws(ValueFault) in
      guard !text.isEmpty else { throw ValueFault("is empty", "write a value, or list the name in removeHeaders") }
      guard text.utf8.count <= 4096 else { throw ValueFault("is longer than 4096 bytes", "write less") }
      guard text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control && $0.value != 0x2028 && $0.value != 0x2029 }) else {
        throw ValueFault("holds a control character or a line break", "write it on one line, without tabs")
      }
      do throws(TemplateFault) {
        return try Template(text, .line)
      } catch {
        throw ValueFault(error, HeaderTemplateName.self)
      }
    }
  }
}

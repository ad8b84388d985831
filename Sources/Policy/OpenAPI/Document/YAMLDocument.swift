import SallyportStrictYAML

/// Reads YAML into the same tree as JSON: what JSON can say, without anchors, merge keys, tags and second documents.
enum YAMLDocument {
  /// - Throws: ``JSONDocument/Failure``; the pointer is empty for what is wrong with the YAML as such, whose message names
  ///   line and column
  static func read(_ bytes: [UInt8], limits: OpenAPILimits) throws(JSONDocument.Failure) -> DocumentTree {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .init(message: "is not UTF-8", pointer: .root)
    }
    var receiver = Receiver(builder: DocumentTreeBuilder(source: [], limits: limits))
    do {
      let yaml = YAMLLimits(bytes: limits.yamlBytes, depth: limits.depth)
      try StrictYAML.read(text, fileName: "", limits: yaml, into: &receiver)
    } catch let failure as DocumentTreeBuilder.Failure {
      throw .init(message: failure.message, pointer: receiver.builder.pointer)
    } catch let faults as FileFaults {
      let fault = faults.faults[0]
      throw .init(
        message: "\(fault.problem); \(fault.remedy) (line \(fault.place.line), column \(fault.place.column))",
        pointer: receiver.builder.pointer)
    } catch {
      throw .init(message: "is not YAML", pointer: receiver.builder.pointer)
    }
    return receiver.builder.build()
  }

  private struct Receiver: YAMLEventReceiver {
    var builder: DocumentTreeBuilder

    mutating func beginMapping() throws { try self.builder.begin(.object) }
    mutating func key(_ text: String) throws { try self.builder.add(.key, decoded: text.utf8) }
    mutating func endMapping() throws { try self.builder.end() }
    mutating func beginSequence() throws { try self.builder.begin(.array) }
    mutating func endSequence() throws { try self.builder.end() }

    mutating func scalar(_ text: String, _ kind: YAMLScalarKind) throws {
      let kind: DocumentTree.Kind =
        switch kind {
        case .text: .text
        case .number: .number
        case .boolean: .boolean
        case .nothing: .null
        }
      try self.builder.add(kind, decoded: text.utf8)
    }
  }
}

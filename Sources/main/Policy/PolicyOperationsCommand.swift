import ArgumentParser
import SallyportCommands

struct PolicyOperationsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "operations", abstract: "List the operations of an OpenAPI document.",
    discussion: """
      One operation a line: id, method, path, verb, group, version and kind. Patterns are those of a rule's `operations`: try them
      here before they stand in a rule.
      """)

  @Option(help: "The OpenAPI document: v2 or v3, JSON or YAML.", completion: .file())
  var openapi: String?

  @Option(help: "The gateway's configuration, for the document that an upstream of it names.", completion: .file())
  var config: String?

  @Option(help: "The upstream; with --config, where several have a description.")
  var upstream: String?

  @Option(help: "text or json.")
  var output = OutputForm.text

  @Argument(help: "Only operations whose ids fit one of these patterns, as in '*CoreV1*Secret*'.")
  var patterns: [String] = []

  func validate() throws {
    guard (self.openapi == nil) != (self.config == nil) else { throw ValidationError("Give one of --openapi and --config.") }
    guard self.upstream == nil || self.config != nil else { throw ValidationError("--upstream needs --config.") }
  }

  func run() async throws {
    try await Exit.reporting {
      let (catalogue, warnings) =
        if let config = self.config {
          try await PolicySources.catalogue(configuration: config, upstream: self.upstream)
        } else {
          try PolicySources.catalogue(file: self.openapi ?? "")
        }
      for warning in warnings { StandardError.print("warning: \(warning)") }
      let table = OperationTable(catalogue, matching: self.patterns)
      print(try self.output == .json ? table.json() : table.text)
    }
  }
}

import ArgumentParser

struct PolicyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "policy", abstract: "List what rules can speak of, explain decisions, and test policies.",
    discussion: """
      Nothing is started: files are read, and what the gateway would decide is said. Only an upstream whose description is asked of
      itself (`openapi: upstream`) is asked for it, with --config.
      """,
    subcommands: [PolicyOperationsCommand.self, PolicyExplainCommand.self, PolicyTestCommand.self])
}

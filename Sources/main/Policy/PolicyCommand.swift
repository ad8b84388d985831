import ArgumentParser

struct PolicyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "policy", abstract: "List what rules can speak of, explain decisions, and test policies.",
    discussion: "Nothing is started: files are read, and what the gateway would decide is said.",
    subcommands: [PolicyOperationsCommand.self, PolicyExplainCommand.self, PolicyTestCommand.self])
}

import ArgumentParser

/// The root command. Each subcommand has a file of its own and only reads its arguments; what it does is in a library.
@main
struct Sallyport: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sallyport",
    abstract: "An authenticating reverse proxy for Kubernetes: who is it, may it, and a record of both.",
    subcommands: [ServeCommand.self, CheckCommand.self, DemoCommand.self])
}

import NIOConcurrencyHelpers

/// Numbers the routes by their names, so that a request is counted at an index and no name is looked up.
///
/// A number is given once and never again: a route that a reload brings back goes on with its counts. There are as many as
/// different route names in all configurations that the process ever had.
final class RouteNumbers: Sendable {
  /// What was refused before it had a route.
  static let none = 0

  private let names = NIOLockedValueBox([""])

  func number(of name: String) -> Int {
    self.names.withLockedValue { names in
      if let number = names.firstIndex(of: name) { return number }
      names.append(name)
      return names.count - 1
    }
  }

  /// The names by their numbers; the empty one stands for no route.
  var all: [String] { self.names.withLockedValue { $0 } }
}

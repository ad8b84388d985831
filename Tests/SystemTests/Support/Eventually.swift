import Testing

/// Waits for a condition; fails when it does not hold in time.
func eventually(
  seconds: Double = 60, _ what: String = "the condition", location: SourceLocation = #_sourceLocation, _ condition: () throws -> Bool
) async throws {
  let end = ContinuousClock.now + .seconds(seconds)
  while ContinuousClock.now < end {
    if try condition() { return }
    try await Task.sleep(for: .milliseconds(20))
  }
  #expect(try condition(), "\(what) did not hold within \(seconds) s", sourceLocation: location)
}

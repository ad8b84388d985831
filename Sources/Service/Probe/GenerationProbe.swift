import SallyportAuthentication

extension Generation {
  /// Asks everybody once whom this configuration depends on, in words for an operator. Nothing is changed anywhere.
  ///
  /// - Returns: what was found, in the order of the configuration
  func probe() async -> [ProbeFinding] { await self.authenticator.probe() }
}

import Testing

@testable import SallyportUpstream

@Suite struct PoolKeyTests {
  private let key = PoolKey(upstream: "kubernetes", serverName: "kubernetes", trustRoots: "r", certificateFingerprint: "c")

  @Test func everyPartTellsPoolsApart() {
    let others = [
      PoolKey(upstream: "other", serverName: "kubernetes", trustRoots: "r", certificateFingerprint: "c"),
      PoolKey(upstream: "kubernetes", serverName: "", trustRoots: "r", certificateFingerprint: "c"),
      PoolKey(upstream: "kubernetes", serverName: "kubernetes", trustRoots: "", certificateFingerprint: "c"),
      PoolKey(upstream: "kubernetes", serverName: "kubernetes", trustRoots: "r", certificateFingerprint: ""),
    ]
    for other in others { #expect(other != self.key) }
    #expect(Set(others + [self.key]).count == 5)
  }
}

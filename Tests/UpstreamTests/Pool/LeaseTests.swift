import Testing

@testable import SallyportUpstream

@Suite struct LeaseTests {
  @Test func theUserOfALeaseIsCurrentUntilItIsDetached() {
    var slot = LeaseSlot<String>()
    #expect(slot.isFree)
    let lease = slot.attach("first")
    #expect(slot.isCurrent(lease))
    #expect(slot.user == "first")
    #expect(slot.detach() == "first")
    #expect(!slot.isCurrent(lease))
    #expect(slot.isFree)
  }

  @Test func anOldLeaseNeverReachesTheNextUser() {
    var slot = LeaseSlot<String>()
    let old = slot.attach("first")
    _ = slot.detach()
    let new = slot.attach("second")
    #expect(!slot.isCurrent(old))
    #expect(slot.isCurrent(new))
    #expect(old != new)
  }

  @Test func detachingTwiceFindsNobody() {
    var slot = LeaseSlot<String>()
    _ = slot.attach("first")
    _ = slot.detach()
    #expect(slot.detach() == nil)
  }

  @Test func usesCountsEveryUser() {
    var slot = LeaseSlot<Int>()
    #expect(slot.uses == 0)
    for user in 1...3 {
      _ = slot.attach(user)
      #expect(slot.uses == UInt64(user))
      _ = slot.detach()
    }
  }
}

import Foundation
import NIOCore
import TestSupport
import Testing

@testable import SallyportAudit

@Suite struct WallTimeTests {
  /// Foundation's rendering, to the second.
  private static func reference(_ seconds: Int64) -> String {
    Date(timeIntervalSince1970: TimeInterval(seconds)).formatted(.iso8601).replacingOccurrences(of: "Z", with: "")
  }

  @Test func manyInstantsReadAsFoundationWritesThem() {
    var generator = Chance(seed: 3)
    for _ in 0..<4_000 {
      // 1970 to 2261.
      let seconds = Int64.random(in: 0..<9_200_000_000, using: &generator)
      let nanos = Int64.random(in: 0..<1_000_000_000, using: &generator)
      let micros = String(1_000_000 + nanos / 1_000).dropFirst()
      let time = WallTime(nanosecondsSinceEpoch: seconds * 1_000_000_000 + nanos)
      #expect(time.description == "\(Self.reference(seconds)).\(micros)Z")
    }
  }

  @Test func everyDayOfFourCenturiesIsTheNextDay() {
    // Counted by the calendar's rule alone: 1900 to 2299 hold every kind of year.
    var day: Int64 = -25_567
    for year: Int64 in 1900..<2300 {
      let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      for (month, length) in [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].enumerated() {
        for dayOfMonth in 1...length {
          let date = CivilDate(daysSinceEpoch: day)
          if date.year != year || date.month != Int64(month + 1) || date.day != Int64(dayOfMonth) {
            Issue.record("day \(day) is \(year)-\(month + 1)-\(dayOfMonth), not \(date)")
          }
          day += 1
        }
      }
    }
  }

  @Test(arguments: [
    (Int64(0), "1970-01-01T00:00:00.000000Z"), (-1, "1969-12-31T23:59:59.999999Z"), (1, "1970-01-01T00:00:00.000000Z"),
    (951_827_696_000_000_000, "2000-02-29T12:34:56.000000Z"), (1_709_251_199_999_999_999, "2024-02-29T23:59:59.999999Z"),
    (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000Z"), (.max, "2262-04-11T23:47:16.854775Z"),
    (.min, "1677-09-21T00:12:43.145224Z"),
  ])
  func edgesOfTheCalendar(_ nanoseconds: Int64, _ text: String) {
    #expect(WallTime(nanosecondsSinceEpoch: nanoseconds).description == text)
  }

  @Test func nowIsNow() {
    let before = Date().timeIntervalSince1970
    let now = Double(WallTime.now().nanosecondsSinceEpoch) / 1e9
    #expect(now >= before - 0.001 && now <= Date().timeIntervalSince1970 + 0.001)
  }

  @Test func aTimeInAFileNameHasNoColons() {
    #expect(Samples.received.compact == "20260301T090507.000123Z")
  }
}

@Suite struct AuditIDTests {
  @Test func everyIdentifierIsARandomUUIDOfVersionFour() throws {
    var seen: Set<AuditID> = []
    for _ in 0..<1_000 {
      let id = AuditID()
      let uuid = try #require(UUID(uuidString: id.description))
      #expect(uuid.uuidString.lowercased() == id.description)
      let text = Array(id.description)
      #expect(text[14] == "4")
      #expect("89ab".contains(text[19]))
      seen.insert(id)
    }
    #expect(seen.count == 1_000)
  }

  @Test func aSourceMakesOthersEachTime() {
    var first = AuditIDSource()
    var second = AuditIDSource()
    var ids: [AuditID] = []
    for _ in 0..<500 { ids += [first.next(), second.next()] }
    #expect(Set(ids).count == 1_000)
    #expect(ids.allSatisfy { UUID(uuidString: $0.description) != nil && Array($0.description)[14] == "4" })
  }

  @Test func everyBitButVersionAndVariantIsRandom() {
    var (ones, zeros) = ([UInt8](repeating: 0, count: 16), [UInt8](repeating: 0, count: 16))
    for _ in 0..<200 {
      let bytes = Mirror(reflecting: UUID(uuidString: AuditID().description)!.uuid).children.map { $0.value as? UInt8 ?? 0 }
      for index in 0..<16 {
        ones[index] |= bytes[index]
        zeros[index] |= ~bytes[index]
      }
    }
    let expectedOnes: [UInt8] = (0..<16).map { $0 == 6 ? 0x4F : $0 == 8 ? 0xBF : 0xFF }
    let expectedZeros: [UInt8] = (0..<16).map { $0 == 6 ? 0xBF : $0 == 8 ? 0x7F : 0xFF }
    #expect(ones == expectedOnes)
    #expect(zeros == expectedZeros)
  }
}

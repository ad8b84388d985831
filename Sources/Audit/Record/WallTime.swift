#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// An instant of civil time (UTC), in nanoseconds since 1970-01-01T00:00:00Z; holds the years 1678 to 2262.
public struct WallTime: Sendable, Hashable, Comparable, CustomStringConvertible {
  public let nanosecondsSinceEpoch: Int64

  public init(nanosecondsSinceEpoch: Int64) {
    self.nanosecondsSinceEpoch = nanosecondsSinceEpoch
  }

  /// The time of the system's clock; about 25 ns, without a system call.
  public static func now() -> WallTime {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return WallTime(nanosecondsSinceEpoch: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }

  public static func < (left: WallTime, right: WallTime) -> Bool {
    left.nanosecondsSinceEpoch < right.nanosecondsSinceEpoch
  }

  /// `2026-03-01T09:05:07.000123Z`
  public var description: String {
    var line = LineBytes()
    self.write(to: &line)
    return line.withBytes { String(decoding: $0, as: UTF8.self) }
  }

  /// Writes the time as RFC 3339 with six digits of a second's fraction, cut and not rounded, and `Z`: 27 bytes.
  ///
  /// This is Kubernetes' `MicroTime` (apimachinery, `metav1.RFC3339Micro`). Integer arithmetic alone, some 20 ns: cheaper
  /// than looking after a cache of the part that changes once a second.
  func write(to line: inout LineBytes) {
    let seconds = self.nanosecondsSinceEpoch.flooringDivision(by: 1_000_000_000)
    let days = seconds.quotient.flooringDivision(by: 86_400)
    let date = CivilDate(daysSinceEpoch: days.quotient)
    let second = days.remainder
    let micros = seconds.remainder / 1_000
    line.write(count: 27) { bytes in
      bytes.setDecimal(date.year, digits: 4, at: 0)
      bytes[4] = UInt8(ascii: "-")
      bytes.setDecimal(date.month, digits: 2, at: 5)
      bytes[7] = UInt8(ascii: "-")
      bytes.setDecimal(date.day, digits: 2, at: 8)
      bytes[10] = UInt8(ascii: "T")
      bytes.setDecimal(second / 3600, digits: 2, at: 11)
      bytes[13] = UInt8(ascii: ":")
      bytes.setDecimal(second / 60 % 60, digits: 2, at: 14)
      bytes[16] = UInt8(ascii: ":")
      bytes.setDecimal(second % 60, digits: 2, at: 17)
      bytes[19] = UInt8(ascii: ".")
      bytes.setDecimal(micros, digits: 6, at: 20)
      bytes[26] = UInt8(ascii: "Z")
    }
  }
}

/// A day of the Gregorian calendar.
struct CivilDate: Equatable {
  let year: Int64
  let month: Int64
  let day: Int64

  /// Counts in years that begin in March, so that the leap day is a year's last, and in eras of 400 years, which all
  /// have 146,097 days. Follows Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
  init(daysSinceEpoch: Int64) {
    let (era, dayOfEra) = (daysSinceEpoch + 719_468).flooringDivision(by: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    self.day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    self.month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    self.year = era * 400 + yearOfEra + (self.month <= 2 ? 1 : 0)
  }
}

extension Int64 {
  fileprivate func flooringDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = self.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}

extension UnsafeMutableRawBufferPointer {
  fileprivate func setDecimal(_ value: Int64, digits: Int, at offset: Int) {
    var rest = value
    for position in stride(from: offset + digits - 1, through: offset, by: -1) {
      self[position] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
  }
}

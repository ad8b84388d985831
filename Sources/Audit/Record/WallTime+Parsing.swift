extension WallTime {
  /// Reads RFC 3339 in UTC, `2026-03-01T09:05:07Z` with up to nine digits of a fraction, as the log and Kubernetes write it.
  ///
  /// - Returns: `nil` for anything else, also for a time in another zone
  package init?(_ text: UnsafeRawBufferPointer) {
    guard text.count >= 20, text[text.count - 1] == UInt8(ascii: "Z"), text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"),
      text[10] == UInt8(ascii: "T"), text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":")
    else { return nil }
    guard let year = Self.number(text, 0, 4), let month = Self.number(text, 5, 2), let day = Self.number(text, 8, 2),
      let hour = Self.number(text, 11, 2), let minute = Self.number(text, 14, 2), let second = Self.number(text, 17, 2),
      (1678...2261).contains(year), (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61
    else { return nil }
    var nanoseconds: Int64 = 0
    if text.count > 20 {
      let digits = text.count - 21
      guard text[19] == UInt8(ascii: "."), (1...9).contains(digits), let fraction = Self.number(text, 20, digits) else { return nil }
      nanoseconds = fraction
      for _ in digits..<9 { nanoseconds *= 10 }
    }
    let days = Self.days(year: year, month: month, day: day)
    self.init(nanosecondsSinceEpoch: ((days * 24 + hour) * 60 + minute) * 60 * 1_000_000_000 + second * 1_000_000_000 + nanoseconds)
  }

  package init?(_ text: String) {
    let time = text.withBytes { WallTime($0) }
    guard let time else { return nil }
    self = time
  }

  package func advanced(by duration: Duration) -> WallTime {
    let (seconds, attoseconds) = duration.components
    return WallTime(nanosecondsSinceEpoch: self.nanosecondsSinceEpoch + seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
  }

  private static func number(_ text: UnsafeRawBufferPointer, _ start: Int, _ length: Int) -> Int64? {
    var number: Int64 = 0
    for index in start..<(start + length) {
      let digit = text[index] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      number = number * 10 + Int64(digit)
    }
    return number
  }

  /// Days since 1970-01-01: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
  private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let year = month <= 2 ? year - 1 : year
    let era = year / 400  // years are positive here
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}

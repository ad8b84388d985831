import SallyportStrictYAML

/// Sizes as people write them: a whole number and a binary unit, `64KiB`, `100MiB`, `2GiB`.
enum SizeText {
  /// The size in bytes.
  static func parse(_ text: String) throws(ValueFault) -> Int {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int(digits), let unit = self.bytes[String(text.dropFirst(digits.count))] else {
      throw ValueFault("is not a size", "write a whole number and a unit, as in 64KiB, 100MiB or 2GiB")
    }
    let (total, overflow) = number.multipliedReportingOverflow(by: unit)
    guard !overflow else { throw ValueFault("is too large a size", "write a smaller one") }
    return total
  }

  static func write(_ size: Int) -> String {
    let unit = ["GiB", "MiB", "KiB"].first { size > 0 && size % self.bytes[$0]! == 0 } ?? "B"
    return "\(size / self.bytes[unit]!)\(unit)"
  }

  private static let bytes = ["B": 1, "KiB": 1024, "MiB": 1024 * 1024, "GiB": 1024 * 1024 * 1024]
}

extension YAMLCursor {
  /// A size in bytes.
  func size(in range: ClosedRange<Int>) -> Int? {
    self.parsed { text throws(ValueFault) in
      let size = try SizeText.parse(text)
      guard range.contains(size) else {
        throw ValueFault("is out of range", "write a size from \(SizeText.write(range.lowerBound)) to \(SizeText.write(range.upperBound))")
      }
      return size
    }
  }
}

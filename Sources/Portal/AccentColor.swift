import Foundation

/// The colour of buttons and links, as it can be read on a light and on a dark page (WCAG 2.2, success criterion 1.4.3).
public struct AccentColor: Sendable, Equatable {
  /// On a light page, with white on it.
  let onLight: SRGBColor
  /// On a dark page, with ``PageStyle``'s dark on it.
  let onDark: SRGBColor

  public init(red: UInt8, green: UInt8, blue: UInt8) {
    let colour = SRGBColor(red: Double(red), green: Double(green), blue: Double(blue))
    self.onLight = colour.mixed(with: .black) { $0.contrast(to: .white) >= Self.leastContrast }
    self.onDark = colour.mixed(with: .white) { shade in
      [SRGBColor.darkCard, .darkButtonText].allSatisfy { shade.contrast(to: $0) >= Self.leastContrast }
    }
  }

  /// Of normal text.
  static let leastContrast = 4.5

  var css: String {
    func lines(_ colour: SRGBColor, hover: SRGBColor) -> String { "--accent: \(colour.hex); --accent-dark: \(hover.hex);" }
    return """
      :root { \(lines(self.onLight, hover: self.onLight.mixed(with: .black, by: 0.2))) }
      @media (prefers-color-scheme: dark) { :root { \(lines(self.onDark, hover: self.onDark.mixed(with: .white, by: 0.3))) } }
      """
  }
}

/// A colour of the screen's usual space; each part from 0 to 255.
struct SRGBColor: Sendable, Equatable {
  let red: Double
  let green: Double
  let blue: Double

  static let black = SRGBColor(red: 0, green: 0, blue: 0)
  static let white = SRGBColor(red: 255, green: 255, blue: 255)
  /// The colours of ``PageStyle`` that an accent meets on a dark page: behind links, and as the text of buttons.
  static let darkCard = SRGBColor(red: 0x1A, green: 0x21, blue: 0x2C)
  static let darkButtonText = SRGBColor(red: 0x0B, green: 0x1A, blue: 0x30)

  var hex: String {
    "#"
      + [self.red, self.green, self.blue].map { part in
        let digits = String(UInt8(part.rounded()), radix: 16)
        return digits.count == 1 ? "0\(digits)" : digits
      }.joined()
  }

  /// Relative luminance, as WCAG 2.2 defines it.
  private var luminance: Double {
    func linear(_ part: Double) -> Double {
      let part = part / 255
      return part <= 0.04045 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4)
    }
    return 0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
  }

  func contrast(to other: SRGBColor) -> Double {
    let (one, two) = (self.luminance, other.luminance)
    return (max(one, two) + 0.05) / (min(one, two) + 0.05)
  }

  func mixed(with other: SRGBColor, by share: Double) -> SRGBColor {
    func part(_ own: Double, _ others: Double) -> Double { (own * (1 - share) + others * share).rounded() }
    return SRGBColor(red: part(self.red, other.red), green: part(self.green, other.green), blue: part(self.blue, other.blue))
  }

  /// As much of the other colour as it takes; all of it is always enough.
  func mixed(with other: SRGBColor, until isEnough: (SRGBColor) -> Bool) -> SRGBColor {
    (0...100).lazy.map { self.mixed(with: other, by: Double($0) / 100) }.first(where: isEnough) ?? other
  }
}

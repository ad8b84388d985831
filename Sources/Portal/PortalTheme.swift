import Crypto
public import Foundation

/// What pages look like: the colour and the picture that an operator may give them, and the policy that goes with both.
public struct PortalTheme: Sendable {
  /// Without anything of an operator's.
  public static let plain = PortalTheme(accent: nil, logo: nil)

  /// The style of every page.
  let css: String
  /// A `data:` URL.
  let logo: String?
  /// What a browser may do with a page of ours (CSP level 3): show it with this style, send its forms to this host, and nothing
  /// else. No page can put it into a frame.
  let policy: String

  /// - Parameters:
  ///   - accent: of buttons and links; where it could not be read on a page, a darker or a lighter one is taken
  ///   - logo: stands before the name
  public init(accent: AccentColor?, logo: PortalLogo?) {
    self.css = PageStyle.css + (accent.map { "\n\($0.css)" } ?? "")
    self.logo = logo?.url
    let hash = Data(SHA256.hash(data: Data(self.css.utf8))).base64EncodedString()
    self.policy =
      "default-src 'none'; style-src 'sha256-\(hash)';\(logo == nil ? "" : " img-src data:;") form-action 'self'; base-uri 'none'; "
      + "frame-ancestors 'none'"
  }
}

/// A picture that is sent with every page, as a part of it: pages load nothing.
public struct PortalLogo: Sendable {
  /// In bytes: it goes along with each page.
  public static let largest = 64 * 1024

  let url: String

  /// - Returns: `nil` for what is neither a PNG nor an SVG. (Whatever an SVG holds: as an image it runs and loads nothing.)
  public init?(_ content: Data) {
    guard content.count <= Self.largest, let type = Self.mediaType(of: content) else { return nil }
    self.url = "data:\(type);base64,\(content.base64EncodedString())"
  }

  private static func mediaType(of content: Data) -> String? {
    if content.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return "image/png" }
    guard let text = String(validating: content, as: UTF8.self) else { return nil }
    let start = text.drop { $0.isWhitespace || $0 == "\u{FEFF}" }
    guard start.hasPrefix("<svg") || (start.hasPrefix("<?xml") || start.hasPrefix("<!--")) && start.contains("<svg") else { return nil }
    return "image/svg+xml"
  }
}

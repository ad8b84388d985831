import Crypto
import Foundation
@_spi(Authenticator) import SallyportCore
import Testing

@testable import SallyportPortal

@Suite struct PageTests {
  private static let hostile = "<b onload=\"x('1')\">&amp;{{name}}</b>"

  private static func identity(_ name: String = "bob", groups: [String] = ["edit"], session: Bool = true) -> Identity {
    let began = Date(timeIntervalSince1970: 1_800_000_000)
    return Identity(
      username: name, uid: "u-1", groups: groups, method: session ? .session : .clientCertificate, expires: began + 60,
      session: session ? Identity.Session(key: [1, 2, 255], signedInBy: .ldap, began: began) : nil)
  }

  /// Every page in every language.
  private static func all(_ language: String?, _ text: String = "x", site: String = "Example") -> [String] {
    let pages = PortalPages(site: site, acceptLanguage: language)
    var signIn = PortalPages.SignIn(token: text, takesPasswords: true, takesCertificates: true)
    signIn.alert = .wrong
    signIn.current = text
    signIn.userName = text
    signIn.certificate = text
    signIn.target = "/a?b=c&d"
    signIn.providers = [.init(id: "", name: text), .init(id: text, name: "Other")]
    return [
      pages.signIn(signIn), pages.signOut(current: text, token: text), pages.signedOut(), pages.onward(to: text, at: text),
      pages.signedOut(goingOnTo: text, at: text),
      pages.whoami(self.identity(text, groups: [text, text]), token: text, kubeconfig: text),
      pages.problem(Problem("x", blame: .client, status: 404, message: text), heading: text, reference: text),
    ].map(\.html)
  }

  @Test(arguments: [nil, "en", "de"]) func everyPageIsWholeAndSaysItsLanguage(_ language: String?) {
    for page in Self.all(language) {
      #expect(page.hasPrefix("<!doctype html>\n<html lang=\"\(language ?? "en")\">") && page.hasSuffix("</html>\n"))
      #expect(page.components(separatedBy: "<h1>").count == 2 && page.components(separatedBy: "<main").count == 2)
      #expect(!page.contains("{{") && !page.contains("<script") && !page.contains("style=\"") && !page.contains("://"))
      // Every field has its label.
      for field in ["username", "password"] where page.contains("id=\"\(field)\"") { #expect(page.contains("<label for=\"\(field)\">")) }
    }
  }

  @Test func whatComesFromOutsideIsEscaped() {
    for page in Self.all("en", Self.hostile, site: Self.hostile) {
      #expect(
        !page.contains("<b ") && !page.contains("onload=\"")
          && page.contains("&lt;b onload=&quot;x(&#39;1&#39;)&quot;&gt;&amp;amp;{{name}}"))
    }
  }

  /// By itself and by a link, to nowhere but where it is told.
  @Test func onePageLeadsOn() throws {
    let address = "https://idp.example.org/auth?a=b&c=d%20e"
    let page = PortalPages(site: "Example", acceptLanguage: nil).onward(to: "Example Corp", at: address).html
    let refresh = try #require(page.firstMatch(of: /<meta http-equiv="refresh" content="0; url=([^"]+)">/)).1
    let link = try #require(page.firstMatch(of: /<a class="button" href="([^"]+)">/)).1
    func plain(_ text: Substring) -> String { String(text).replacing("&amp;", with: "&").replacing("&#61;", with: "=") }
    #expect(plain(refresh) == address && plain(link) == address && page.contains("Going on to Example Corp"))
    for other in Self.all("en").filter({ !$0.contains("Going on") && !$0.contains("The session there") }) {
      #expect(!other.contains("http-equiv"))
    }
  }

  @Test func eachProviderHasAButton() {
    let pages = PortalPages(site: "Example", acceptLanguage: nil)
    var signIn = PortalPages.SignIn(token: "t", takesPasswords: false, takesCertificates: false)
    signIn.providers = [.init(id: "", name: "One"), .init(id: "two", name: "Two")]
    let page = pages.signIn(signIn).html
    for (id, name) in [("", "One"), ("two", "Two")] {
      #expect(
        page.contains(
          "name=\"provider\" value=\"\(id)\">\n<button type=\"submit\" name=\"by\" value=\"oidc\">Continue with \(name)</button>"))
    }
    #expect(!page.contains("id=\"username\"") && !page.contains("class=\"or\""))
    signIn.takesPasswords = true
    let both = pages.signIn(signIn).html
    #expect(both.contains("value=\"oidc\" class=\"quiet\">Continue with One") && both.components(separatedBy: "class=\"or\"").count == 2)
  }

  /// The style's hash is of the very text between the tags, or a browser shows a page without style.
  @Test func thePolicyAllowsTheStyleOfThePageAndNothingElse() throws {
    let page = try #require(Self.all("en").first)
    let style = try #require(page.components(separatedBy: "<style>").last?.components(separatedBy: "</style>").first)
    let hash = Data(SHA256.hash(data: Data(style.utf8))).base64EncodedString()
    let policy = try #require(
      PortalPages(site: "Example", acceptLanguage: nil).signedOut().fields.first { $0.name == "Content-Security-Policy" }?.value)
    #expect(policy == "default-src 'none'; style-src 'sha256-\(hash)'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
  }

  @Test func aLogoStandsInThePageAndInItsPolicy() throws {
    let png = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0])
    for (content, type) in [
      (png, "png"), (Data("\n<svg xmlns=\"x\"><script>1</script></svg>".utf8), "svg+xml"), (Data("<?xml?><svg/>".utf8), "svg+xml"),
    ] {
      let logo = try #require(PortalLogo(content))
      let page = PortalPages(site: "Example", theme: PortalTheme(accent: nil, logo: logo), acceptLanguage: nil).signedOut()
      #expect(page.html.contains("<img src=\"data:image/\(type);base64,\(content.base64EncodedString())\" alt=\"\">"))
      #expect(!page.html.contains("<script") && page.html.components(separatedBy: "<svg viewBox").count == 1)
      #expect(page.fields.contains { $0.name == "Content-Security-Policy" && $0.value.contains("; img-src data:;") })
    }
    for other in [Data(), Data("<html><svg>".utf8), Data("GIF89a".utf8), Data([0x3C, 0xFF]), png + Data(count: PortalLogo.largest)] {
      #expect(PortalLogo(other) == nil)
    }
  }

  /// Whatever colour an operator has, what is written in it can be read.
  @Test func anAccentCanBeReadOnEveryPage() throws {
    for (red, green, blue) in [(0, 0, 0), (255, 255, 255), (255, 255, 0), (31, 95, 191), (0, 0, 255), (200, 200, 200), (255, 0, 0)] {
      let accent = AccentColor(red: UInt8(red), green: UInt8(green), blue: UInt8(blue))
      #expect(accent.onLight.contrast(to: .white) >= 4.5, "\(accent)")
      #expect(accent.onDark.contrast(to: .darkCard) >= 4.5 && accent.onDark.contrast(to: .darkButtonText) >= 4.5, "\(accent)")
    }
    // One that can be read stays as it is.
    #expect(AccentColor(red: 0x1F, green: 0x5F, blue: 0xBF).onLight.hex == "#1f5fbf")
    #expect(abs(SRGBColor.black.contrast(to: .white) - 21) < 0.001)
    let theme = PortalTheme(accent: AccentColor(red: 170, green: 51, blue: 0), logo: nil)
    let page = PortalPages(site: "Example", theme: theme, acceptLanguage: nil).signedOut()
    #expect(page.html.contains("--accent: #aa3300;"))
    let style = try #require(page.html.components(separatedBy: "<style>").last?.components(separatedBy: "</style>").first)
    let hash = Data(SHA256.hash(data: Data(style.utf8))).base64EncodedString()
    #expect(page.fields.contains { $0.value.contains("'sha256-\(hash)'") })
  }

  /// What kubectl is told holds no secret, and no name breaks it.
  @Test func aKubeconfigAsksForWhatIsMissing() {
    let plugin = CopiedKubeconfig.text(host: "k.example.org:8443", user: .plugin(name: "bob", clientID: "kubectl", showsCertificate: false))
    let exec = """
          exec:
            apiVersion: client.authentication.k8s.io/v1
            command: sallyport
            args:
            - "credential"
            - "--client-id"
            - "kubectl"
            interactiveMode: IfAvailable
            provideClusterInfo: true
      """
    #expect(plugin.contains(exec) && plugin.contains("server: \"https://k.example.org:8443\""), "\(plugin)")
    let certified = CopiedKubeconfig.text(host: "k", user: .plugin(name: "a\"b\n- c", clientID: "x", showsCertificate: true))
    #expect(certified.contains("- \"--client-certificate\"\n") && certified.contains(#"name: "a\"b\u000a- c@k""#))
    #expect(CopiedKubeconfig.text(host: "k", user: .password(name: "bob")).contains("username: \"bob\""))
  }

  @Test func aPageOffersWhatThereIs() {
    let pages = PortalPages(site: "Example", acceptLanguage: nil)
    func shown(_ passwords: Bool, _ certificates: Bool, _ name: String?) -> String {
      var page = PortalPages.SignIn(token: "t", takesPasswords: passwords, takesCertificates: certificates)
      page.certificate = name
      return pages.signIn(page).html
    }
    #expect(shown(true, false, "alice").contains("value=\"password\"") && !shown(true, false, "alice").contains("alice"))
    #expect(shown(false, true, "alice").contains("value=\"certificate\"") && !shown(false, true, "alice").contains("name=\"password\""))
    #expect(!shown(false, true, nil).contains("<form") && shown(false, true, nil).contains("showed no client certificate"))
    #expect(!shown(true, true, "alice").contains("role=\"alert\""))
  }

  @Test func theLanguageIsTheOneThatIsLikedBest() {
    #expect(PortalTexts.best(for: "de-CH, en;q=0.8").language == "de")
    #expect(PortalTexts.best(for: "en;q=0.5, de;q=0.9").language == "de")
    #expect(PortalTexts.best(for: "fr, de;q=0.1").language == "de")
    #expect(PortalTexts.best(for: "de;q=0, en").language == "en")
    for other in [nil, "", "fr", "*", ";;;", "q=1", String(repeating: "de,", count: 300)] {
      #expect(PortalTexts.best(for: other).language == "en")
    }
  }

  @Test func aKubeconfigHoldsWhoAndWhereAndNothingElse() {
    let text = CopiedKubeconfig.text(host: "gateway.example.org:8443", user: .password(name: "a\"b\n\\"))
    #expect(text.contains("server: \"https://gateway.example.org:8443\"") && text.contains(#"username: "a\"b\u000a\\""#))
    #expect(!text.contains("password") && !text.contains("token"))
  }

  @Test func whoamiForProgramsSaysHow() throws {
    let json = try #require(try JSONSerialization.jsonObject(with: Data(WhoAmI.json(Self.identity()))) as? [String: Any])
    #expect(json["username"] as? String == "bob" && json["groups"] as? [String] == ["edit"] && json["uid"] as? String == "u-1")
    #expect(json["authentication"] as? String == "session")
    let session = try #require(json["session"] as? [String: String])
    #expect(session == ["signedInBy": "ldap", "began": "2027-01-15T08:00:00Z", "ends": "2027-01-15T08:01:00Z"])
  }
}

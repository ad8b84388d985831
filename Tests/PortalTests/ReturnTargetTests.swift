import Foundation
import SallyportPortal
import TestSupport
import Testing

@Suite struct ReturnTargetTests {
  @Test(arguments: [
    "/", "/api/v1/namespaces", "/a/", "/a?b=c&d=e", "/a?b=/c//d", "/search?q=%2F%2Fevil.example", "/a:b@c;d=e,f!$&'()*+", "/%C3%A4",
    "/a%2Fb", "/.sallyport/whoami", "/.sallyportal", "/a.b/..c",
  ]) func aPathOfThisHostIsGoneBackTo(_ target: String) {
    #expect(ReturnTarget.checked(target) == target)
  }

  /// What has led browsers astray behind one check or another: the lists of oauth2-proxy's, mod_auth_openidc's and others'
  /// advisories, and what browsers make of such texts (WHATWG URL).
  @Test(arguments: [
    "", "a", "https://evil.example", "HTTPS://evil.example", "https:evil.example", "https:/evil.example", "//evil.example",
    "///evil.example",
    "////evil.example", "/\\evil.example", "\\evil.example", "\\\\evil.example", "/\\/evil.example", "\\/evil.example", "/\t/evil.example",
    "/\n/evil.example", "/\r/evil.example", "\t//evil.example", " //evil.example", "/ /evil.example", "/%09/evil.example",
    "/%0a/evil.example", "/%0D/evil.example", "/%5cevil.example", "/%5C%5Cevil.example", "/%2fevil.example", "/%2F%2Fevil.example",
    "/%252fevil.example", "/%25%32%66evil.example", "/.//evil.example", "/..//evil.example", "/./evil", "/../evil", "/a/../evil",
    "/a/..", "/a/.", "/%2e%2e//evil.example", "/%2e/evil", "/a//evil.example", "/\u{0}/evil", "/%00/evil", "/\u{7F}", "/%7f",
    "/a#b", "/a#//evil.example", "/a?b#c", "/<script>", "/\"><script>", "/a?\"onload", "/a?<b>", "/{x}", "/`x`", "/a|b", "/a^b",
    "javascript:alert(1)",
    "data:text/html,x", "/%", "/%4", "/%zz", "/a?%", "/a?b=%zz", "/ä", "/a?ä", "/\u{2028}", "/\u{FF0F}evil.example", "@evil.example",
    ".evil.example", "/.sallyport/sign-in", "/.sallyport/sign-out", "/.sallyport/sign-in?return=/a", "/.sallyport", "/.sallyport/",
    "/%2Esallyport/sign-out", "/.sallyport%2Fsign-out", "/.sallyport/keys",
  ]) func everythingElseLeadsToTheRoot(_ target: String) {
    #expect(ReturnTarget.checked(target) == "/")
    #expect(ReturnTarget.signInPath(returningTo: target) == "/.sallyport/sign-in")
  }

  @Test func nothingAndTooMuchLeadToTheRoot() {
    #expect(ReturnTarget.checked(nil) == "/")
    #expect(ReturnTarget.checked("/" + String(repeating: "a", count: 2048)) == "/")
  }

  /// Whatever passes is, to a reader of URLs that is not ours, a path of the host that the page is of.
  @Test func whatPassesIsOfThisHostToFoundationToo() throws {
    var chance = Chance(seed: 9)
    let pieces = [
      "/", "\\", "%2f", "%5c", "%09", ".", "..", "a", "evil.example", ":", "@", "?", "#", "%", "%2e", " ", "\t", "https", ";", "=", "&",
      "ä",
    ]
    let base = try #require(URL(string: "https://gateway.example.org/.sallyport/sign-in"))
    var passed = 0
    for _ in 0..<20_000 {
      let target = "/" + (0..<chance.count(1...7)).map { _ in chance.pick(pieces) }.joined()
      let checked = ReturnTarget.checked(target)
      guard checked == target else { continue }
      passed += 1
      let url = try #require(URL(string: checked, relativeTo: base)?.standardized.absoluteURL, "\(target)")
      #expect(url.host() == "gateway.example.org" && url.scheme == "https" && url.user() == nil, "\(target)")
      #expect(!url.path().hasPrefix("//"), "\(target)")
    }
    #expect(passed > 500)
  }

  @Test func aTargetSurvivesTheWayThroughTheSignInPage() throws {
    let target = "/api/v1/pods?labelSelector=a%3Db&x=1+2&y=%2B;z"
    let path = ReturnTarget.signInPath(returningTo: target)
    let query = try #require(path.split(separator: "?", maxSplits: 1).last)
    #expect(FormFields(query: query.utf8)?.text("return") == target)
  }
}

import SallyportTemplates
import Testing

@Suite struct TemplateTests {
  typealias Header = Template<HeaderTemplateName>

  private static let values: [HeaderTemplateName: TemplateValue] = [
    .user: .text("alice"), .groups: .list(["dev", "ops"]), .extra("example.org/team"): .list(["blue"]),
    .claim("sub"): .text("a-1"), .claim("realm_access.roles"): .list(["r1", "r2", "r3"]), .claim("https://example.org/x"): .text("<&>\"'"),
    .certificate(.subject): .text("CN=alice,O=dev"), .auditID: .text("id-1"), .route: .text("api"), .claim("empty"): .text(""),
    .claim("none"): .list([]), .claim("yes"): .flag(true), .claim("no"): .flag(false),
  ]

  private func rendered(_ source: String, _ more: [HeaderTemplateName: TemplateValue] = [:]) throws -> Rendered<HeaderTemplateName> {
    try Header(source, .line).render { more[$0] ?? Self.values[$0] }
  }

  @Test(arguments: [
    ("plain", "plain"), ("{{user}}", "alice"), ("{{ user }} of {{route}}", "alice of api"), ("{{{user}}}{{& user }}", "alicealice"),
    ("{{groups}}", "dev,ops"), ("{{#groups}}[{{.}}]{{/groups}}", "[dev][ops]"),
    ("{{#groups}}{{.}}{{^last()}}|{{/last()}}{{/groups}}", "dev|ops"),
    ("{{#groups}}{{#first()}}1:{{/first()}}{{.}} {{/groups}}", "1:dev ops "),
    ("{{extra.example.org/team}}", "blue"), ("{{claims.sub}}", "a-1"), ("{{claims.realm_access.roles}}", "r1,r2,r3"),
    // As it is: this is no HTML.
    ("{{claims.https://example.org/x}}", "<&>\"'"), ("{{certificate.subject}}", "CN=alice,O=dev"), ("{{auditID}}", "id-1"),
    ("{{#uid}}uid {{.}}{{/uid}}{{^uid}}none{{/uid}}", "none"), ("{{#user}}{{.}} {{user}}{{/user}}", "alice alice"),
    ("{{#claims.none}}x{{/claims.none}}-", "-"),
    ("{{claims.yes}} {{claims.no}}", "true false"),
    ("{{#claims.yes}}1{{.}}{{/claims.yes}}{{^claims.yes}}2{{/claims.yes}}", "1true"),
    ("{{#claims.no}}3{{/claims.no}}{{^claims.no}}4{{/claims.no}}", "4"), ("a{{! {{user }}b", "ab"), ("}} { {user} }", "}} { {user} }"),
    ("ü{{user}}", "üalice"),
    ("{{^groups}}x{{/groups}}{{#groups}}{{#claims.sub}}{{.}} {{/claims.sub}}{{/groups}}", "a-1 a-1 "),
  ]) func valuesStandInTheirPlaces(_ source: String, _ expected: String) throws {
    #expect(try self.rendered(source) == .text(expected))
  }

  /// No value is a template, whatever stands in it.
  @Test(arguments: ["{{user}}", "{{#v0}}", "}}", "{{> x}}", "{{% CONTENT_TYPE:HTML}}", "\\", "&lt;"]) func valuesAreNotRead(_ value: String)
    throws
  {
    #expect(try self.rendered("{{claims.sub}}{{groups}}", [.claim("sub"): .text(value), .groups: .list([value])]) == .text(value + value))
  }

  @Test(arguments: [
    ("{{uid}}", HeaderTemplateName.uid), ("{{claims.other}}", .claim("other")), ("{{claims.empty}}", .claim("empty")),
    ("x {{claims.none}}", .claim("none")), ("{{extra.team}}{{uid}}", .extra("team")), ("{{#user}}{{uid}}{{/user}}", .uid),
  ]) func whatIsNotThereIsMissing(_ source: String, _ name: HeaderTemplateName) throws {
    #expect(try self.rendered(source) == .missing(name))
  }

  @Test(arguments: ["a\r\nX-Admin: 1", "a\nb", "a\rb", "a\u{0}b", "a\tb", "a\u{7F}", "a\u{85}b", "a\u{2028}b", "a\u{9B}"])
  func whatWouldBreakALineDoesNotFit(_ value: String) throws {
    let unfit = Rendered<HeaderTemplateName>.unfit(.claim("sub"), .controlCharacter)
    #expect(try self.rendered("{{claims.sub}}", [.claim("sub"): .text(value)]) == unfit)
    #expect(try self.rendered("{{claims.sub}}", [.claim("sub"): .list(["a", value])]) == unfit)
    #expect(try self.rendered("{{#claims.sub}}{{.}}{{/claims.sub}}", [.claim("sub"): .list(["a", value])]) == unfit)
    // Nobody reads what is not written.
    #expect(try self.rendered("{{#claims.sub}}yes{{/claims.sub}}", [.claim("sub"): .text(value)]) == .text("yes"))
  }

  @Test func outerBlanksAndCommasInListsDoNotFit() throws {
    for value in [" a", "a ", " "] {
      #expect(try self.rendered("{{user}}", [.user: .text(value)]) == .unfit(.user, .outerBlanks))
    }
    #expect(try self.rendered("{{user}}", [.user: .text("a b, c")]) == .text("a b, c"))
    #expect(try self.rendered("{{groups}}", [.groups: .list(["dev,ops"])]) == .unfit(.groups, .comma))
    #expect(try self.rendered("{{groups}}", [.groups: .list(["dev", "a,b"])]) == .unfit(.groups, .comma))
    #expect(try self.rendered("{{#groups}}{{.}};{{/groups}}", [.groups: .list(["dev", "a,b"])]) == .text("dev;a,b;"))
  }

  @Test(arguments: [
    ("{{usr}}", "usr", 1), ("{{user}}{{claim.sub}}", "claim.sub", 2), ("{{certificate.sub}}", "certificate.sub", 1),
    ("{{claims.}}", "claims.", 1),
    ("{{claims}}", "claims", 1), ("{{extra.Team}}", "extra.Team", 1), ("{{#groups}}{{name}}{{/groups}}", "name", 2),
    ("{{user name}}", "user name", 1),
    ("{{v0}}", "v0", 1), ("{{uppercased(user)}}", "uppercased(user)", 1), ("{{claims.a b}}", "claims.a b", 1),
    ("{{#index()}}", "index()", 1),
  ]) func anUnknownNameIsAFault(_ source: String, _ word: String, _ tag: Int) {
    let fault = #expect(throws: TemplateFault.self) { try Header(source, .line) }
    #expect(fault?.kind == .unknown(word: word) && fault?.tag == tag)
  }

  @Test(arguments: [
    ("{{user", 1, TemplateFault.Reason.unfinished), ("{{{user}}", 1, .unfinished), ("{{}}", 1, .empty), ("{{ }}", 1, .empty),
    ("{{> user}}", 1, .kind),
    ("{{< user}}", 1, .kind), ("{{$ user}}", 1, .kind), ("{{=<% %>=}}", 1, .kind), ("{{% CONTENT_TYPE:HTML}}", 1, .kind),
    ("{{*user}}", 1, .kind),
    ("{{.}}", 1, .outsideOfSection), ("{{^groups}}{{.}}{{/groups}}", 2, .outsideOfSection), ("{{#last()}}", 1, .outsideOfSection),
    ("{{/user}}", 1, .notOpen), ("{{#user}}{{#uid}}{{/user}}", 3, .notOpen), ("{{#user}}{{#uid}}{{/uid}}", 1, .sectionOpen),
  ]) func aTagThatIsNotUnderstoodIsAFault(_ source: String, _ tag: Int, _ reason: TemplateFault.Reason) {
    let fault = #expect(throws: TemplateFault.self) { try Header(source, .line) }
    #expect(fault?.kind == .malformed(reason) && fault?.tag == tag)
  }

  @Test func aPageEscapesEveryValue() throws {
    typealias Page = Template<PageTemplateName>
    let page = try Page("<h1>{{status}} {{title}}</h1>\n<p title=\"{{message}}\">{{message}}</p>", .html)
    let rendered = page.render { name in .text(name == .message ? #"<script>"'&"# : "\(name.rawValue)\n") }
    let escaped = "&lt;script&gt;&quot;&#39;&amp;"
    #expect(rendered == .text("<h1>status\n title\n</h1>\n<p title=\"\(escaped)\">\(escaped)</p>"))
    for source in ["{{{message}}}", "{{& message}}"] {
      let fault = #expect(throws: TemplateFault.self) { try Page(source, .html) }
      #expect(fault?.kind == .malformed(.unescaped))
    }
    let fault = #expect(throws: TemplateFault.self) { try Page("{{user}}", .html) }
    #expect(fault?.kind == .unknown(word: "user"))
    // A gap is a gap.
    #expect(try Page("a{{auditID}}b", .html).render { _ in nil } == .text("ab"))
  }

  @Test func aFaultSaysWhereItsTagStands() throws {
    typealias Page = Template<PageTemplateName>
    let fault = #expect(throws: TemplateFault.self) { try Page("<p>\n{{status}} ü {{! a\nb }} {{user}}", .html) }
    #expect(fault?.tag == 3 && fault?.line == 3 && fault?.column == 6)
  }

  @Test func namesAreToldInTheirOrder() throws {
    let template = try Header("{{route}} {{#groups}}{{.}}{{/groups}} {{route}} {{auditID}}", .line)
    #expect(template.names == [.route, .groups, .auditID])
    #expect(template.names.map(\.isOfRequest) == [false, false, true])
    #expect(try template == Header(template.source, .line))
    #expect(try template != Header(template.source + " ", .line))
  }
}

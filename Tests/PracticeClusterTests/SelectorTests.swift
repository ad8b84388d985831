import Testing

@testable import SallyportPracticeCluster

@Suite struct SelectorTests {
  @Test(arguments: [
    ("", true), ("app", true), ("!app", false), ("!none", true), ("app=web", true), ("app==web", true), ("app = web", true),
    ("app!=web", false), ("none!=x", true), ("app in (web, db)", true), ("app notin (web)", false), ("none notin (x)", true),
    ("app=web,tier=front", true), ("app=web,tier=back", false), ("app in (db),app=web", false), ("version>3", true), ("version<3", false),
    ("version>x", nil), ("none>1", false), ("example.com/role=a", true), ("empty=", true), ("empty", true), ("app in ()", false),
    ("app=we b", nil), ("=x", nil), ("app in web", nil), ("app of (web)", nil), ("a b", nil), ("app=web,", nil), ("-x=1", nil),
  ])
  func labelSelectorsSelect(_ text: String, _ expected: Bool?) throws {
    let labels = ["app": "web", "tier": "front", "version": "4", "example.com/role": "a", "empty": ""]
    if let expected {
      #expect(try LabelSelector(text).matches(labels) == expected)
    } else {
      let error = #expect(throws: APIError.self) { try LabelSelector(text) }
      #expect(error?.status == 400)
    }
  }

  @Test(arguments: [
    ("metadata.name=web-0", true), ("metadata.name!=web-0", false), ("metadata.namespace==dev", true), ("status.phase=Running", true),
    ("status.phase!=Running,metadata.name=web-0", false), ("spec.nodeName=", true), ("status.phase=Running,metadata.name=web-0", true),
  ])
  func fieldSelectorsSelect(_ text: String, _ expected: Bool) throws {
    let pod = StoredObject(["metadata": ["name": "web-0", "namespace": "dev"], "status": ["phase": "Running"]], revision: 1)
    let selector = try FieldSelector(text)
    try selector.check(for: ResourceCatalog.pods)
    #expect(selector.matches(pod) == expected)
  }

  @Test func aFieldThatIsNotSelectableIsRefused() throws {
    let error = #expect(throws: APIError.self) { try FieldSelector("data.password=x").check(for: ResourceCatalog.secrets) }
    #expect(error?.message == "field label not supported: data.password")
    #expect(throws: APIError.self) { try FieldSelector("nonsense") }
  }

  @Test(arguments: [
    ("web-0", true), ("a.b-c.d1", true), ("0", true), ("", false), ("Web", false), ("a_b", false), ("-a", false), ("a-", false),
    ("a..b", false), ("a.-b", false), (String(repeating: "a", count: 253), true), (String(repeating: "a", count: 254), false), ("é", false),
  ])
  func namesAreJudgedAsSubdomains(_ name: String, _ isGood: Bool) { #expect(NameRules.isSubdomain(name) == isGood) }

  @Test(arguments: [
    ("app", true), ("example.com/app", true), ("A_b.c-d", true), ("/app", false), ("a/b/c", false), ("-a", false), ("a b", false),
    ("", false),
    ("Example.com/app", false), (String(repeating: "a", count: 64), false),
  ])
  func keysAreJudgedAsQualifiedNames(_ key: String, _ isGood: Bool) { #expect(NameRules.isQualifiedName(key) == isGood) }
}

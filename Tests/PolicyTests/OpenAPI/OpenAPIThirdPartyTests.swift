import SallyportPolicy
import SallyportWire
import Testing

@Suite struct OpenAPIThirdPartyTests {
  private static let petStore = """
    openapi: 3.1.0
    info: {title: Pets, version: 1}
    servers:
    - url: https://{stage}.example.org/v2/
      variables: {stage: {default: www, enum: [www, test]}}
    - url: /v2
    paths:
      /pets:
        parameters:
        - {name: limit, in: query, schema: {type: integer}}
        summary: R&D about pets
        get:
          operationId: listPets
          description: |
            Lists *pets*:
            * one, & two &nbsp;
            * three
            * four
            * five
            * six
            * seven
            * eight
            * nine
            * ten
          responses:
            200:
              content:
                application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}}
            default: {$ref: '#/components/responses/Problem'}
        post:
          responses: {'201': {description: made}}
        x-internal: {get: {operationId: notAnOperation}}
      /pets/{id}:
        $ref: '#/components/pathItems/Pet'
      x-gateway: {a: b}
    webhooks:
      petGone: {post: {operationId: petGone, responses: {}}}
    components:
      pathItems:
        Pet:
          get: {operationId: getPet, responses: {"200": {content: {a/b: {schema: {$ref: '#/components/schemas/Dog'}}}}}}
          trace: {operationId: tracePet, responses: {}}
      responses:
        Problem: {content: {application/problem+json: {schema: {$ref: '#/components/schemas/Problem'}}}}
      schemas:
        Pet:
          discriminator: {propertyName: kind, mapping: {dog: '#/components/schemas/Dog'}}
          properties: {owner: {$ref: '#/components/schemas/Owner'}}
        Dog: {allOf: [{$ref: '#/components/schemas/Pet'}, {type: object}]}
        Owner: {properties: {pets: {items: {$ref: '#/components/schemas/Pet/properties/owner'}}}}
        Problem: {type: object}
        Unused: {type: 'null'}

    """

  @Test func aPetStoreInYAMLIsRead() throws {
    let document = try read(Self.petStore)
    #expect(document.version == .v31)
    #expect(document.warnings == [])
    #expect(
      document.lines == [
        "GET /v2/pets listPets", "POST /v2/pets POST /v2/pets", "GET /v2/pets/{id} getPet", "TRACE /v2/pets/{id} tracePet",
      ])
    #expect(document.catalogue.operations.allSatisfy { $0.action == nil && $0.kind == nil && !$0.isOpenEnded })
    #expect(document.catalogue.kindsBySchema == [:])
  }

  @Test func referencesAreFollowedThroughSharedAnswersRingsAndDiscriminators() throws {
    let catalogue = try read(Self.petStore).catalogue
    #expect(catalogue.responseSchemas(ofOperationAt: 0) == ["Pet", "Dog", "Owner", "Problem"])
    #expect(catalogue.responseSchemas(ofOperationAt: 1) == [])
    #expect(catalogue.schemasReachable(from: "Owner") == ["Owner", "Pet", "Dog"])
    #expect(catalogue.operations(answeringWith: ["Problem"]) == [0])
    #expect(catalogue.operations(answeringWith: ["Owner"]) == [0, 2])
    #expect(catalogue.operations(answeringWith: ["Unused", "none such"]) == [])
    #expect(catalogue.responseSchemas(ofOperationAt: 99) == [])
  }

  @Test func swaggersBasePathStandsBeforeItsPaths() throws {
    let document = try read(
      """
      swagger: 2.0
      basePath: /api/
      host: pets.example.org
      paths:
        /pets/{id}:
          parameters: [{name: id, in: path, type: string, required: true}]
          get: {operationId: getPet, responses: {200: {schema: {$ref: '#/definitions/Pet'}}, 404: {$ref: '#/responses/None'}}}
        /: {options: {responses: {}}}
      responses: {None: {schema: {$ref: '#/definitions/None'}}}
      definitions: {Pet: {type: object}, None: {type: object}}
      """)
    #expect(document.version == .v2)
    #expect(document.lines == ["GET /api/pets/{id} getPet", "OPTIONS /api/ OPTIONS /api/"])
    #expect(document.catalogue.responseSchemas(ofOperationAt: 0) == ["Pet", "None"])
  }

  @Test(arguments: [
    (#""servers":[]"#, "/a"), (#""servers":[{"url":"/"}]"#, "/a"), (#""servers":[{"url":"https://x.org"}]"#, "/a"),
    (#""servers":[{"url":"https://x.org/b/c/"}]"#, "/b/c/a"), (#""servers":[{"url":"//x.org/b"},{"url":"http://y.org/b/"}]"#, "/b/a"),
    (#""servers":[{"url":"https://{host}:{port}/b"}]"#, "/b/a"),
    (#""servers":[{"url":"/{v}","variables":{"v":{"default":"v1"}}}]"#, "/v1/a"),
    (#""servers":[{"url":"/{v}","variables":{"v":{"default":"v1","enum":["v1"]}}}]"#, "/v1/a"),
  ]) func serversSayWhatStandsBeforePaths(servers: String, path: String) throws {
    #expect(try read(openAPI(#""/a":{"get":{}}"#, servers)).catalogue.operations.map(\.path) == [path])
  }

  @Test(arguments: [
    (##""servers":[{"url":"/b"},{"url":"/c"}]"##, "#/servers: name different paths (`/b` and `/c`)"),
    (##""servers":[{"url":"https://x.org/b"},{"url":"http://localhost"}]"##, "#/servers: name different paths (`/b` and ``)"),
    (##""servers":[{"url":"b"}]"##, "#/servers/0/url: is no address whose path is known"),
    (##""servers":[{"url":"/{v}"}]"##, "#/servers/0/url: is no address whose path is known"),
    (
      ##""servers":[{"url":"/{v}","variables":{"v":{"default":"a","enum":["a","b"]}}}]"##,
      "#/servers/0/url: is no address whose path is known"
    ),
    (##""servers":[{"url":1}]"##, "#/servers/0: has no `url` that is text"), (##""servers":{}"##, "#/servers: is not a list of servers"),
  ]) func serversThatLeaveThePathOpenAreRefusedUnlessTheOperatorSays(servers: String, fault: String) throws {
    let text = openAPI(#""/a":{"get":{}}"#, servers)
    let found = faults(of: text)
    #expect(found.count == 1)
    #expect(found.first?.hasPrefix("api\(fault)") == true, "\(found)")
    #expect(try read(text, OpenAPIReader(pathPrefix: "/z/")).catalogue.operations.map(\.path) == ["/z/a"])
    #expect(try read(text, OpenAPIReader(pathPrefix: "")).catalogue.operations.map(\.path) == ["/a"])
  }

  @Test func aPathsOwnServersTakeThePlaceOfTheDocuments() throws {
    let text = openAPI(
      #""/a":{"servers":[{"url":"/x"}],"get":{},"put":{"servers":[{"url":"/y"}]}},"/b":{"get":{}}"#, #""servers":[{"url":"/z"}]"#)
    #expect(try read(text).catalogue.operations.map(\.path) == ["/x/a", "/y/a", "/z/b"])
  }

  @Test(arguments: [
    ("/a/{b}.json", "/a/{}.json"), ("/{a}/{b}", "/{}/{}"), ("/{kind}:{name}", "/{}:{}"), ("/v{n}/a", "/v{}/a"), ("/", "/"), ("/a/", "/a/"),
    ("/caf%C3%A9/{x}", "/café/{}"), ("/naïve", "/naïve"), ("/a:b;c=d,e", "/a:b;c=d,e"), ("/a%20b", "/a b"), ("/a b", "/a b"),
    ("/...", "/..."),
  ]) func weirdAndLegalTemplatesAreRead(path: String, shape: String) throws {
    #expect(try PathTemplate(path).shape == shape)
    let operation = try #require(try read(openAPI(#""\#(path)":{"get":{}}"#)).catalogue.operations.first)
    // What the catalogue holds reads as itself again.
    #expect(try PathTemplate(operation.path).description == operation.path)
    #expect(try PathTemplate(operation.path).shape == shape)
  }

  @Test func aTemplateIsReadIntoSegments() throws {
    #expect(
      try PathTemplate("/a%20b/{c}/x{d}-{e}/").segments == [
        .literal("a b"), .parameter("c"), .pattern([.text("x"), .parameter("d"), .text("-"), .parameter("e")]), .literal(""),
      ])
  }

  @Test(arguments: [
    ("a", "does not begin with a slash"), ("", "does not begin with a slash"), ("/a//b", "has an empty segment"),
    ("//", "has an empty segment"),
    ("/a/../b", "has a dot segment"), ("/.", "has a dot segment"), ("/%2e%2E/a", "has a dot segment"), ("/a?b=c", "holds `?`"),
    ("/a#b", "holds `#`"),
    ("/a\\\\b", "holds a backslash"), ("/a\\u0000", "holds a control"), ("/%3f", "has a percent escape"), ("/%23", "has a percent escape"),
    ("/{a}{b}", "has two parameters side by side"),
    ("/{a", "has a brace without"), ("/a}", "has a brace without"), ("/{{a}}", "has a brace without"),
    ("/{}", "has a parameter whose name"),
    ("/{proxy+}", "has a parameter whose name"), ("/{path*}", "has a parameter whose name"), ("/{+path}", "has a parameter whose name"),
    ("/{name=**}", "has a parameter whose name"), ("/{?q}", "holds `?`"), ("/%2F", "has a percent escape for a slash"),
    ("/%5c", "has a percent escape"),
    ("/%25", "has a percent escape"), ("/%7Ba%7D", "has a percent escape"), ("/%0a", "has a percent escape"),
    ("/%zz", "has a broken percent"),
    ("/%f", "has a broken percent"), ("/%ff", "has a broken percent"),
  ]) func whatCannotBeMatchedSafelyIsRefused(path: String, problem: String) {
    let found = faults(of: openAPI(#""\#(path)":{"get":{}}"#))
    #expect(found.count == 1)
    #expect(found.first?.contains("/get: stands at a path that \(problem)") == true, "\(found)")
  }

  @Test func templatesThatOverlapAreBothKept() throws {
    let text = openAPI(#""/pets/{id}":{"get":{}},"/pets/mine":{"get":{}},"/{kind}/mine":{"get":{}},"/pets/{name}":{"put":{}}"#)
    #expect(try read(text).catalogue.operations.count == 4)
  }

  @Test func whatWouldMakeOneOperationOfTwoIsRefusedAtItsPlace() {
    let text = openAPI(
      #"""
      "/a":{"get":{"operationId":"x"},"put":{"operationId":"x"}},"/b/{c}":{"get":{}},"/b/{d}":{"get":{"operationId":"y"}},
      "/c":{"get":{"operationId":"PUT /d"}},"/d":{"put":{}},
      "/e":{"GET":{}},"/f":{"query":{}},"/g":{"get":[]},"/h":{"get":{"operationId":""}},"/i":{"get":{"operationId":7}},"/j":null
      """#)
    #expect(
      faults(of: text) == [
        "api#/paths/~1a/put: has the operationId of GET /a; name it otherwise",
        "api#/paths/~1b~1{d}/get: matches the same requests as GET /b/{c}; keep one of the two",
        "api#/paths/~1d/put: has the operationId of GET /c; name it otherwise",
        "api#/paths/~1e/GET: is neither a method in lower case nor any other key of a path; an operation under it would go unseen",
        "api#/paths/~1f/query: is neither a method in lower case nor any other key of a path; an operation under it would go unseen",
        "api#/paths/~1g/get: is no operation: it is not an object",
        "api#/paths/~1h/get/operationId: is no name: text of at most 512 bytes without blanks at its ends and without control characters",
        "api#/paths/~1i/get/operationId: is no name: text of at most 512 bytes without blanks at its ends and without control characters",
        "api#/paths/~1j: is not an object",
      ])
  }

  @Test func whatIsFaultyIsLeftOutOfADocumentThatNobodyHereCanMend() throws {
    let text = openAPI(#""/a":{"get":{"operationId":"x"},"put":{"operationId":"x"}},"/{b}{c}":{"get":{}},"/d":{"get":{}}"#)
    let document = try read(text, OpenAPIReader(faultyOperations: .leaveOut))
    #expect(document.lines == ["GET /a x", "GET /d GET /d"])
    #expect(document.operationsLeftOut == 2)
    #expect(document.warnings.map(\.pointer) == ["/paths/~1a/put", "/paths/~1{b}{c}/get"])
    #expect(document.warnings.allSatisfy { $0.message.hasSuffix("; it is left out") })
  }

  @Test(arguments: [
    (##""/a":{"$ref":"#/components/pathItems/A"}"##, ["GET /a GET /a"]),
    (##""/a":{"$ref":"#/paths/~1b"},"/b":{"put":{}}"##, ["PUT /a PUT /a", "PUT /b PUT /b"]),
    (##""/a":{"$ref":"#/x-shared/a%20b~0c"}"##, ["POST /a POST /a"]), (##""/a":{"$ref":"#/x-shared/~01~1"}"##, ["HEAD /a HEAD /a"]),
  ]) func aPathMayReferToAnotherOfItsDocument(paths: String, lines: [String]) throws {
    #expect(
      try read(openAPI(paths, #""components":{"pathItems":{"A":{"get":{}}}},"x-shared":{"a b~c":{"post":{}},"~1/":{"head":{}}}"#)).lines
        == lines)
  }

  @Test(arguments: [
    (#""/a":{"$ref":"https://x.org/a.json#/A"}"#, "refers to another document"),
    (#""/a":{"$ref":"other.yaml"}"#, "refers to another document"),
    (##""/a":{"$ref":"file:///etc/passwd"}"##, "refers to another document"), (##""/a":{"$ref":"#/paths/~1a"}"##, "refers to itself"),
    (##""/a":{"$ref":"#/paths/~1b"},"/b":{"$ref":"#/paths/~1a"}"##, "refers to itself"),
    (##""/a":{"$ref":"#/none"}"##, "refers to nothing"),
    (##""/a":{"$ref":"#/paths/~1b","get":{}},"/b":{"put":{}}"##, "stands beside operations"),
    (##""/a":{"$ref":1}"##, "refers to another document"),
    (##""/a":{"$ref":"#/info/title"}"##, "is not an object"),
  ]) func noReferenceLeadsOutOfTheDocumentOrInACircle(paths: String, problem: String) {
    let found = faults(of: openAPI(paths))
    #expect(found.first?.contains(problem) == true, "\(found)")
  }

  @Test func aSchemaThatRefersElsewhereIsReportedAndNotFetched() throws {
    let text = openAPI(
      ##""/a":{"get":{"responses":{"200":{"$ref":"#/components/responses/None"}}}}"##,
      #""components":{"schemas":{"A":{"properties":{"b":{"$ref":"https://x.org/b.json"}}}}}"#)
    #expect(
      try read(text).warnings.map(\.pointer) == ["/paths/~1a/get/responses/200/$ref", "/components/schemas/A/properties/b/$ref"])
  }

  @Test(arguments: [
    ("{}", "api: is no OpenAPI document"), ("[]", "api: is no OpenAPI document"), ("a", "api: is no OpenAPI document"),
    (#"{"swagger":"1.2","paths":{}}"#, "api: has a version of OpenAPI that is not read"),
    (#"{"openapi":"3.2.0","paths":{}}"#, "api: has a version of OpenAPI that is not read"),
    (#"{"openapi":3.0,"paths":{}}"#, "api: has a version of OpenAPI that is not read"),
    (#"{"openapi":"3.0.0","swagger":"2.0"}"#, "api: has both"), (#"{"openapi":"3.0.0"}"#, "api: has no `paths`"),
    (#"{"openapi":"3.0.0","paths":[]}"#, "api#/paths: is not an object"),
    (#"{"swagger":"2.0","basePath":"v1","paths":{}}"#, "api#/basePath: is no path"),
    ("openapi: 3.0.0\npaths: {&a /a: {get: {}}}", "api#/paths: has a key with an anchor"), ("a: &x {}\nb: *x", "api#/a: has an anchor"),
    ("openapi: 3.0.0\npaths: {/a: {get: {}}, /a: {}}", "api: has `/a` twice in one mapping"), ("a: [", "api: is not YAML"),
    ("", "api: is empty"),
    ("a: !!binary aGk=", "api#/a: has a tag"), ("openapi: 3.0.0\n---\na: 1", "api: holds a second document"),
  ]) func whatIsNoDocumentIsRefusedWithItsPlace(text: String, fault: String) {
    let found = faults(of: text)
    #expect(found.first?.hasPrefix(fault) == true, "\(found)")
  }

  @Test func aDocumentOfWebhooksAloneHasNoOperations() throws {
    #expect(try read(#"{"openapi":"3.1.0","webhooks":{}}"#).lines == [])
  }
}

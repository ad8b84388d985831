import SallyportWire
import Testing

/// The reading of single rules; the whole record is in `RequestRecordTests`.
@Suite struct RequestInfoTests {
  @Test func aResourceHasAllItsParts() throws {
    let info = try RequestInfo(.post, "/apis/apps/v1/namespaces/dev/deployments/web/scale/x")
    #expect(info.isResourceRequest)
    #expect(info.apiPrefix == "apis")
    #expect(info.apiGroup == "apps")
    #expect(info.apiVersion == "v1")
    #expect(info.namespace == "dev")
    #expect(info.resource == "deployments")
    #expect(info.name == "web")
    #expect(info.subresource == "scale")
    #expect(info.verb == "create")
    #expect(info.parts == ["deployments", "web", "scale", "x"])
    #expect(info.path == "/apis/apps/v1/namespaces/dev/deployments/web/scale/x")
  }

  @Test(
    arguments: [
      (.get, "get"), (.head, "get"), (.post, "create"), (.put, "update"), (.patch, "patch"), (.delete, "delete"), (.options, ""),
      (.trace, ""), (.other("get"), ""), (.other("LIST"), ""), (.other("PROPFIND"), ""),
    ] as [(SallyportWire.Method, String)])
  func theVerbOfAnObjectFollowsTheMethodAsItIsSpelled(_ method: SallyportWire.Method, _ verb: String) throws {
    #expect(try RequestInfo(method, "/api/v1/namespaces/dev/pods/p").verb == verb)
  }

  @Test func aCollectionHasVerbsOfItsOwn() throws {
    #expect(try RequestInfo(.get, "/api/v1/pods").verb == "list")
    #expect(try RequestInfo(.head, "/api/v1/pods").verb == "list")
    #expect(try RequestInfo(.get, "/api/v1/pods?watch").verb == "watch")
    #expect(try RequestInfo(.delete, "/api/v1/namespaces/dev/pods").verb == "deletecollection")
    #expect(try RequestInfo(.post, "/api/v1/namespaces/dev/pods").verb == "create")
    #expect(try RequestInfo(.patch, "/api/v1/namespaces/dev/pods?watch=1").verb == "patch")
  }

  @Test(
    arguments: [
      "/", "/api", "/api/v1", "/api/v1/", "//api/v1//", "/apis/apps/v1", "/version", "/API/v1/pods", "/healthz/a/b/c", "/v1/a/b/c",
    ])
  func otherPathsNameNoResource(_ path: String) throws {
    let info = try RequestInfo(.other("Get"), path)
    #expect(!info.isResourceRequest)
    #expect(info.verb == "get")
    #expect(info.resource == "")
    #expect(info.parts == [])
  }

  /// The server answers 500 and logs nothing.
  @Test(arguments: ["/api/v1/watch", "/api/v1/watch/", "/api/v1/proxy", "/apis/apps/v1/watch"])
  func aVerbInThePathWithNothingBehindItNamesNoResource(_ path: String) throws {
    let info = try RequestInfo(.get, path)
    #expect(info.isResourceRequest)
    #expect(info.resource == "")
  }

  @Test(
    arguments: [
      ("/api/v1/namespaces", "namespaces", "", "", ""),
      ("/api/v1/namespaces/dev", "namespaces", "dev", "", "dev"),
      ("/api/v1/namespaces/dev/status", "namespaces", "dev", "status", "dev"),
      ("/api/v1/namespaces/dev/finalize/x", "namespaces", "dev", "finalize", "dev"),
      ("/api/v1/namespaces/status/secrets", "secrets", "", "", "status"),
      ("/api/v1/namespaces/dev/namespaces/x", "namespaces", "x", "", "dev"),
      ("/api/v1/namespaces//secrets", "secrets", "", "", ""),
      ("/api/v1/pods/p/namespaces", "pods", "p", "namespaces", ""),
    ])
  func aNamespaceIsReadAsTheServerDoes(
    _ path: String, _ resource: String, _ name: String, _ subresource: String, _ namespace: String
  ) throws {
    let info = try RequestInfo(.get, path)
    #expect([info.resource, info.name, info.subresource, info.namespace] == [resource, name, subresource, namespace])
  }

  @Test func theOldPrefixesSetTheVerbWhateverTheMethod() throws {
    let watch = try RequestInfo(.delete, "/api/v1/watch/namespaces/dev/secrets/s1?watch=0")
    #expect(watch.verb == "watch" && watch.name == "s1" && watch.resource == "secrets")
    let proxy = try RequestInfo(.get, "/api/v1/proxy/namespaces/dev/pods/p/a/b")
    #expect(proxy.verb == "proxy" && proxy.name == "p" && proxy.subresource == "")
    #expect(try RequestInfo(.get, "/api/v1/watch/namespaces/dev/secrets?fieldSelector=metadata.name=s1").name == "")
  }

  @Test(
    arguments: [
      "watch", "watch=", "watch=1", "watch=true", "watch=f", "watch=no", "watch=00", "watch=-1", "watch=0%20", "watch=%30%30", "watch=+0",
      "%77atch=1", "w%61tch", "watch=1&watch=0", "x=1&watch=1", "watch=1&%zz", "watch=%zz&watch=1", "watch=0;&watch=1", "&&watch=1",
      "watch=%ff", "watch=1&limit=abc", "watch=\u{FF10}", "=&watch",
    ])
  func theseQueriesWatch(_ query: String) throws {
    #expect(try RequestInfo(.get, "/api/v1/secrets?\(query)").verb == "watch")
  }

  @Test(
    arguments: [
      "", "watch=0", "watch=false", "watch=FALSE", "watch=fAlSe", "watch=%66alse", "watch=%30", "watch=fal%C5%BFe", "Watch=1", "watch[]=1",
      "watch%20=1", "watch+=1", "+watch=1", "watch=1;", "watch=1;x=2", ";watch=1", "a=b&amp;watch=1", "watch=%zz", "watch=%4", "watch=%",
      "%zz&x", "watc%68%=1", "watch=0&watch=1", "x=watch=1", "limit=abc&watch=0", "watch%3D1",
    ])
  func theseQueriesList(_ query: String) throws {
    #expect(try RequestInfo(.get, "/api/v1/secrets?\(query)").verb == "list")
  }

  @Test func aNamedGetIsNeverAWatch() throws {
    #expect(try RequestInfo(.get, "/api/v1/namespaces/dev/secrets/s1?watch=1").verb == "get")
  }

  @Test(
    arguments: [
      ("metadata.name=s1", "s1"), ("metadata.name%3Ds1", "s1"), ("metadata.name==s1", "s1"),
      ("metadata.name=s1,metadata.namespace=dev", "s1"),
      ("a=b,metadata.name=s1", "s1"), (",metadata.name=s1,", "s1"), ("metadata.name=z,metadata.name=a", "a"),
      ("metadata.name=a,metadata.name==z", "z"), ("metadata.name=a%5C%5Cb", "a\\b"), ("metadata.name=a%5C,b", "a,b"),
      ("metadata.name=a%5C=b", "a=b"), ("metadata.name=a+b", "a b"), ("metadata.name!=s2,metadata.name=s1", "s1"),
      ("metadata.name=s1&fieldSelector=metadata.name=s2", "s1"), ("metadata.name=s1&limit=5&timeoutSeconds=-1", "s1"),
      ("%zz&fieldSelector=metadata.name=s1", "s1"),
    ])
  func aFieldSelectorGivesTheName(_ selector: String, _ name: String) throws {
    let list = try RequestInfo(.get, "/api/v1/namespaces/dev/secrets?fieldSelector=\(selector)")
    #expect(list.name == name && list.verb == "list")
    let watch = try RequestInfo(.get, "/api/v1/namespaces/dev/secrets?watch=1&fieldSelector=\(selector)")
    #expect(watch.name == name && watch.verb == "watch")
  }

  @Test(
    arguments: [
      "", "metadata.name", "metadata.name!=s1", "metadata.name=", "Metadata.name=s1", "metadata.namespace=s1", "%20metadata.name=s1",
      "metadata.name=.", "metadata.name=..", "metadata.name=a/b", "metadata.name=a%25b", "metadata.name=a=b", "metadata.name=a%5Cb",
      "metadata.name=a%5C", "metadata.name=s1,x", "metadata.name===s1", "x=%5Cn,metadata.name=s1", "metadata.name=s1&limit=abc",
      "metadata.name=s1&limit=", "metadata.name=s1&timeoutSeconds=1.5", "metadata.name=s1&limit=9223372036854775808",
      "x=1&fieldSelector=metadata.name=s1", "metadata.name=s1;",
    ])
  func otherFieldSelectorsGiveNoName(_ selector: String) throws {
    #expect(try RequestInfo(.get, "/api/v1/namespaces/dev/secrets?fieldSelector=\(selector)").name == "")
  }

  @Test func aFieldSelectorNamesNothingForOtherVerbs() throws {
    let selector = "fieldSelector=metadata.name=s1"
    #expect(try RequestInfo(.delete, "/api/v1/namespaces/dev/secrets?\(selector)").name == "")
    #expect(try RequestInfo(.post, "/api/v1/namespaces/dev/secrets?\(selector)").name == "")
    #expect(try RequestInfo(.get, "/api/v1/namespaces/dev/secrets/s2?\(selector)").name == "s2")
  }

  /// A combining accent behind a slash makes one `Character` of both; the server splits bytes.
  @Test func segmentsAreSplitByBytes() throws {
    let info = try RequestInfo(.get, "/api/v1/namespaces/dev/secrets/%CC%81s1")
    #expect(info.resource == "secrets")
    #expect(info.name == "\u{301}s1")
    let joined = try RequestInfo(.get, "/api/v1/secrets?a&%CC%81b&watch=1")
    #expect(joined.verb == "watch")
  }
}

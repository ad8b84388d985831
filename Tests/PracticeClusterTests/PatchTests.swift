import Testing

@testable import SallyportPracticeCluster

private func json(_ text: String) throws -> JSON { try JSONReader.read(text) }

/// The examples of RFC 7386, appendix A.
@Suite struct MergePatchTests {
  @Test(arguments: [
    (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
    (#"{"a":"b"}"#, #"{"a":null}"#, "{}"), (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
    (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
    (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#), (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#),
    (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#), (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#), (#"{"a":"foo"}"#, "null", "null"),
    (#"{"a":"foo"}"#, #""bar""#, #""bar""#), (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#),
    (#"[1,2]"#, #"{"a":"b","c":null}"#, #"{"a":"b"}"#),
    ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
  ])
  func theExamplesOfTheStandardHold(_ target: String, _ patch: String, _ result: String) throws {
    #expect(MergePatch.apply(try json(patch), to: try json(target)) == (try json(result)))
  }
}

/// The examples of RFC 6902, appendix A, and what they leave out.
@Suite struct JSONPatchTests {
  @Test(arguments: [
    (#"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz","value":"qux"}]"#, #"{"baz":"qux","foo":"bar"}"#),
    (#"{"foo":["bar","baz"]}"#, #"[{"op":"add","path":"/foo/1","value":"qux"}]"#, #"{"foo":["bar","qux","baz"]}"#),
    (#"{"baz":"qux","foo":"bar"}"#, #"[{"op":"remove","path":"/baz"}]"#, #"{"foo":"bar"}"#),
    (#"{"foo":["bar","qux","baz"]}"#, #"[{"op":"remove","path":"/foo/1"}]"#, #"{"foo":["bar","baz"]}"#),
    (#"{"baz":"qux","foo":"bar"}"#, #"[{"op":"replace","path":"/baz","value":"boo"}]"#, #"{"baz":"boo","foo":"bar"}"#),
    (
      #"{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}"#, #"[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]"#,
      #"{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}"#
    ),
    (
      #"{"foo":["all","grass","cows","eat"]}"#, #"[{"op":"move","from":"/foo/1","path":"/foo/3"}]"#,
      #"{"foo":["all","cows","eat","grass"]}"#
    ),
    (
      #"{"baz":"qux","foo":["a",2,"c"]}"#, #"[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]"#,
      #"{"baz":"qux","foo":["a",2,"c"]}"#
    ),
    (#"{"foo":"bar"}"#, #"[{"op":"add","path":"/child","value":{"grandchild":{}}}]"#, #"{"foo":"bar","child":{"grandchild":{}}}"#),
    (#"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz","value":"qux","xyz":123}]"#, #"{"foo":"bar","baz":"qux"}"#),
    (#"{"/":9,"~1":10}"#, #"[{"op":"test","path":"/~01","value":10}]"#, #"{"/":9,"~1":10}"#),
    (#"{"foo":["bar"]}"#, #"[{"op":"add","path":"/foo/-","value":["abc","def"]}]"#, #"{"foo":["bar",["abc","def"]]}"#),
    (#"{"a":{"b":1}}"#, #"[{"op":"copy","from":"/a/b","path":"/c"}]"#, #"{"a":{"b":1},"c":1}"#),
    (#"{"a":1}"#, #"[{"op":"replace","path":"","value":[1]}]"#, "[1]"),
    (#"{"a":1.0}"#, #"[{"op":"test","path":"/a","value":1}]"#, #"{"a":1}"#),
    (#"{"a":["x"]}"#, #"[{"op":"move","from":"/a","path":"/a"}]"#, #"{"a":["x"]}"#),
  ])
  func theExamplesOfTheStandardHold(_ document: String, _ patch: String, _ result: String) throws {
    #expect(try JSONPatch.apply(try json(patch), to: try json(document)).text == (try json(result)).text)
  }

  @Test(arguments: [
    (#"{"baz":"qux"}"#, #"[{"op":"test","path":"/baz","value":"bar"}]"#),
    (#"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz/bat","value":"qux"}]"#),
    (#"{"/":9,"~1":10}"#, #"[{"op":"test","path":"/~01","value":"10"}]"#), (#"{"a":[1]}"#, #"[{"op":"add","path":"/a/2","value":1}]"#),
    (#"{"a":[1]}"#, #"[{"op":"remove","path":"/a/-"}]"#), (#"{"a":[1,2]}"#, #"[{"op":"remove","path":"/a/01"}]"#),
    ("{}", #"[{"op":"remove","path":"/a"}]"#), ("{}", #"[{"op":"replace","path":"/a","value":1}]"#),
    ("{}", #"[{"op":"copy","from":"/a","path":"/b"}]"#), (#"{"a":{"b":1}}"#, #"[{"op":"move","from":"/a","path":"/a/b"}]"#),
  ])
  func aPatchThatDoesNotFitIsRefused(_ document: String, _ patch: String) throws {
    let (document, patch) = (try json(document), try json(patch))
    let failure = #expect(throws: JSONPatch.Failure.self) { try JSONPatch.apply(patch, to: document) }
    #expect(failure?.isMalformed == false)
  }

  @Test(arguments: [
    "{}", #"[{"op":"add"}]"#, #"[{"op":"spin","path":"/a"}]"#, #"[{"op":"add","path":"/a"}]"#, #"[{"op":"add","path":"a","value":1}]"#,
    #"[{"op":"move","path":"/a"}]"#,
  ])
  func whatIsNoPatchIsMalformed(_ patch: String) throws {
    let patch = try json(patch)
    let failure = #expect(throws: JSONPatch.Failure.self) { try JSONPatch.apply(patch, to: [:]) }
    #expect(failure?.isMalformed == true)
  }
}

@Suite struct StrategicMergePatchTests {
  private func apply(_ patch: String, to pod: String) throws -> JSON {
    try StrategicMergePatch.apply(try json(patch), to: try json(pod), .object("Pod"))
  }

  @Test func containersAreMergedByName() throws {
    let result = try self.apply(
      #"{"spec":{"containers":[{"name":"b","image":"2"},{"name":"c","image":"3"}]}}"#,
      to: #"{"spec":{"containers":[{"name":"a","image":"1"},{"name":"b","image":"1","tty":true}]}}"#)
    #expect(
      result
        == (try json(#"{"spec":{"containers":[{"name":"a","image":"1"},{"name":"b","image":"2","tty":true},{"name":"c","image":"3"}]}}"#)))
  }

  @Test func elementsAndFieldsAreDeletedByDirective() throws {
    let result = try self.apply(
      #"{"spec":{"containers":[{"name":"a","$patch":"delete"},{"name":"b","env":[{"name":"X","$patch":"delete"}],"tty":null}]}}"#,
      to: #"{"spec":{"containers":[{"name":"a"},{"name":"b","tty":true,"env":[{"name":"X","value":"1"},{"name":"Y","value":"2"}]}]}}"#)
    #expect(result == (try json(#"{"spec":{"containers":[{"name":"b","env":[{"name":"Y","value":"2"}]}]}}"#)))
  }

  @Test func aListOrAnObjectIsReplacedByDirective() throws {
    let list = try self.apply(
      #"{"spec":{"containers":[{"$patch":"replace"},{"name":"n"}]}}"#, to: #"{"spec":{"containers":[{"name":"a"}]}}"#)
    #expect(list == (try json(#"{"spec":{"containers":[{"name":"n"}]}}"#)))
    let object = try self.apply(
      #"{"metadata":{"labels":{"$patch":"replace","b":"2"}}}"#, to: #"{"metadata":{"labels":{"a":"1"}}}"#)
    #expect(object == (try json(#"{"metadata":{"labels":{"b":"2"}}}"#)))
  }

  @Test func primitiveListsAreMergedAndShrunk() throws {
    let result = try self.apply(
      #"{"metadata":{"finalizers":["c.example/x"],"$deleteFromPrimitiveList/finalizers":["a.example/x"]}}"#,
      to: #"{"metadata":{"finalizers":["a.example/x","b.example/x"]}}"#)
    #expect(result == (try json(#"{"metadata":{"finalizers":["b.example/x","c.example/x"]}}"#)))
    // Lists without a key are replaced.
    let arguments = try self.apply(
      #"{"spec":{"containers":[{"name":"a","args":["2"]}]}}"#, to: #"{"spec":{"containers":[{"name":"a","args":["1"]}]}}"#)
    #expect(arguments == (try json(#"{"spec":{"containers":[{"name":"a","args":["2"]}]}}"#)))
  }

  @Test func theStatedOrderIsKept() throws {
    let result = try self.apply(
      #"{"spec":{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}],"containers":[{"name":"b","image":"2"}]}}"#,
      to: #"{"spec":{"containers":[{"name":"x"},{"name":"a"},{"name":"b"}]}}"#)
    #expect(result == (try json(#"{"spec":{"containers":[{"name":"b","image":"2"},{"name":"a"},{"name":"x"}]}}"#)))
  }

  @Test func onlyTheRetainedKeysStay() throws {
    let result = try StrategicMergePatch.apply(
      try json(#"{"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate"}}}"#),
      to: try json(#"{"spec":{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}}}}"#), .object("Deployment"))
    #expect(result == (try json(#"{"spec":{"strategy":{"type":"Recreate"}}}"#)))
  }

  @Test func anElementWithoutItsKeyIsRefused() throws {
    #expect(throws: StrategicMergePatch.Failure.self) {
      try self.apply(#"{"spec":{"containers":[{"image":"2"}]}}"#, to: #"{"spec":{"containers":[]}}"#)
    }
    #expect(throws: StrategicMergePatch.Failure.self) { try self.apply(#"{"spec":{"$patch":"spin"}}"#, to: #"{"spec":{}}"#) }
    #expect(throws: StrategicMergePatch.Failure.self) { try self.apply("[]", to: "{}") }
  }
}

@Suite struct ServerSideApplyTests {
  private func apply(_ applied: String, to live: JSON?, by manager: String, force: Bool = false) throws -> JSON {
    try ServerSideApply.apply(
      try json(applied), to: live, ResourceCatalog.pods, by: manager, subresource: "", isForced: force, now: "2026-01-01T00:00:00Z")
  }

  @Test func ownershipIsWrittenAsFieldsV1() throws {
    let pod = try self.apply(
      #"{"metadata":{"name":"p","labels":{"a":"1"}},"spec":{"containers":[{"name":"c","image":"1"}]}}"#, to: nil, by: "one")
    let entry = pod[["metadata", "managedFields"]]?.array?.first
    #expect(entry?["manager"] == "one")
    #expect(entry?["operation"] == "Apply")
    #expect(
      entry?["fieldsV1"]
        == (try json(
          #"{"f:metadata":{"f:labels":{"f:a":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},"f:name":{},"f:image":{}}}}}"#)))
  }

  @Test func aFieldOfAnotherManagerIsAConflictUnlessItIsForced() throws {
    let live = try self.apply(#"{"metadata":{"labels":{"a":"1","b":"1"}}}"#, to: nil, by: "one")
    let failure = #expect(throws: APIError.self) { try self.apply(#"{"metadata":{"labels":{"a":"2","b":"2"}}}"#, to: live, by: "two") }
    #expect(failure?.status == 409)
    #expect(failure?.details["causes"]?.array?.map { $0["field"] } == [".metadata.labels.a", ".metadata.labels.b"])
    #expect(failure?.message.hasPrefix(#"Apply failed with 2 conflicts: conflict with "one" using v1: .metadata.labels.a"#) == true)
    let forced = try self.apply(#"{"metadata":{"labels":{"a":"2"}}}"#, to: live, by: "two", force: true)
    #expect(forced[["metadata", "labels"]] == ["a": "2", "b": "1"])
    // What was forced away is not the first manager's any more.
    let again = #expect(throws: APIError.self) { try self.apply(#"{"metadata":{"labels":{"a":"1"}}}"#, to: forced, by: "one") }
    #expect(again?.details["causes"]?.array?.count == 1)
  }

  @Test func theSameValueIsShared() throws {
    let live = try self.apply(#"{"metadata":{"labels":{"a":"1"}}}"#, to: nil, by: "one")
    let shared = try self.apply(#"{"metadata":{"labels":{"a":"1"}}}"#, to: live, by: "two")
    let left = try self.apply(#"{"metadata":{"annotations":{"x":"y"}}}"#, to: shared, by: "one")
    #expect(left[["metadata", "labels", "a"]] == "1", "the other manager still wants it")
    let gone = try self.apply(#"{"metadata":{"annotations":{"z":"y"}}}"#, to: left, by: "two")
    #expect(gone[["metadata", "labels"]] == nil)
  }

  @Test func whatIsNotAppliedAnyMoreGoes() throws {
    let live = try self.apply(
      #"{"spec":{"containers":[{"name":"a","image":"1","tty":true},{"name":"b","image":"1"}]}}"#, to: nil, by: "one")
    let next = try self.apply(#"{"spec":{"containers":[{"name":"a","image":"1"}]}}"#, to: live, by: "one")
    #expect(next[["spec", "containers"]] == [["name": "a", "image": "1"]])
  }

  @Test func anUpdateTakesOwnership() throws {
    let live = try self.apply(#"{"metadata":{"labels":{"a":"1"}}}"#, to: nil, by: "one")
    var changed = live
    changed.set("2", at: "metadata", "labels", "a")
    var managed = ManagedFields(live[["metadata", "managedFields"]])
    managed.recordUpdate(
      from: live, to: changed, ResourceCatalog.pods, by: .init(name: "editor", operation: "Update", subresource: ""), now: "")
    #expect(managed.entries.first { $0.manager.name == "editor" }?.fields.paths == [["f:metadata", "f:labels", "f:a"]])
    #expect(managed.json.array?.count == 1, "the first manager owns nothing any more")
  }
}

import NIOCore
import SallyportCore
import SallyportWire
import Testing

/// `kubectl --as`: what is understood, and what is refused that the API server would ignore.
@Suite struct ImpersonationTests {
  @Test func theWholeFamilyIsReadAndRemoved() throws {
    let request = try stripped([
      ("Impersonate-User", "alice"), ("impersonate-uid", "42"), ("IMPERSONATE-GROUP", "a,b"), ("Impersonate-Group", "c d"),
      ("Impersonate-Extra-Scopes", "view"), ("Impersonate-Extra-Example.com%2fKey", "1"), ("impersonate-extra-scopes", "edit"),
      ("Accept", "x"),
    ])
    #expect(
      request.impersonation
        == RequestedImpersonation(
          user: "alice", uid: "42", groups: ["a,b", "c d"],
          extra: [.init(key: "scopes", values: ["view", "edit"]), .init(key: "example.com/key", values: ["1"])]))
    #expect(request.head.fields.map(\.name) == ["Accept"])
  }

  @Test(
    arguments: [
      ("Scopes", "scopes"), ("Example.com%2Fkey", "example.com/key"), ("%46oo", "Foo"), ("%zz", "%zz"), ("A%4", "a%4"), ("a_b", "a_b"),
      ("%C3%84", "Ä"), ("%2525", "%25"), ("a+b", "a+b"),
    ])
  func aKeyIsLoweredAndThenDecodedOnce(_ spelled: String, _ key: String) throws {
    let request = try stripped([("Impersonate-User", "alice"), ("Impersonate-Extra-\(spelled)", "v")])
    #expect(request.impersonation?.extra == [.init(key: key, values: ["v"])])
  }

  @Test(arguments: [
    "Impersonate-Extra-", "Impersonate-Extra-%00", "Impersonate-Extra-a%0ab", "Impersonate-Extra-%ff", "Impersonate-Extra-%7f",
  ])
  func aKeyThatIsNoTextIsRefused(_ name: String) {
    expectRefusal("unreadableImpersonation") { try stripped([("Impersonate-User", "alice"), (name, "v")]) }
  }

  @Test(
    arguments: [
      "Impersonate-Foo", "Impersonate-", "Impersonate-Users", "Impersonate-UserName", "Impersonate-Extra", "Impersonate_User",
      "Impersonate_Group", "Impersonate_Uid", "Impersonate_Extra_Scopes", "Impersonate-Extra_Scopes", "impersonate_foo",
    ])
  func anUnknownFieldOfTheFamilyIsRefused(_ name: String) {
    expectRefusal("unknownImpersonation") {
      try stripped([("Impersonate-User", "alice"), (name, "x")])
    }
    expectRefusal("unknownImpersonation") { try stripped([(name, "x")]) }
  }

  @Test(arguments: ["Impersonate-Group", "Impersonate-Uid", "Impersonate-Extra-Scopes"])
  func withoutAUserTheRestIsRefused(_ name: String) {
    expectRefusal("impersonationWithoutUser") { try stripped([(name, "x")]) }
  }

  @Test(arguments: ["Impersonate-User", "Impersonate-Uid"])
  func severalUsersOrUIDsAreRefused(_ name: String) {
    expectRefusal("repeatedImpersonation") {
      try stripped([("Impersonate-User", "alice"), (name, "x"), (name.lowercased(), "x")])
    }
  }

  @Test(arguments: ["Impersonate-User", "Impersonate-Uid", "Impersonate-Group", "Impersonate-Extra-Scopes"])
  func aValueThatIsEmptyOrNoTextIsRefused(_ name: String) throws {
    let target = try RequestTarget(reading: ByteBuffer(string: "/"), for: .get)
    for value: [UInt8] in [
      [], [0xFF], [0xC3], Array("a\u{0}b".utf8), Array("a\nb".utf8), Array("a\tb".utf8), [0x61, 0x7F], [0xED, 0xA0, 0x80],
    ] {
      var lines: [(String, [UInt8])] = [(name, value)]
      if name != "Impersonate-User" { lines.append(("Impersonate-User", Array("alice".utf8))) }
      let head = RequestHead(method: .get, target: target, fields: fields(lines))
      expectRefusal("unreadableImpersonation", "\(value)") {
        try StrippedRequest(stripping: head, fromTrustedPeer: true)
      }
    }
  }

  @Test func namesAreTakenAsTheyAre() throws {
    let request = try stripped([("Impersonate-User", "Jörg %41, system:admin")])
    #expect(request.impersonation?.user == "Jörg %41, system:admin")
  }
}

import SallyportWire
import Testing

@Suite struct KnownFieldTests {
  private func known(_ name: String) -> KnownField? {
    Array(name.utf8).withUnsafeBytes { KnownField(nameBytes: $0) }
  }

  /// Letter case alternating, beginning with either.
  private func oddCases(_ name: String) -> [String] {
    [0, 1].map { first in
      String(
        name.enumerated().map { ($0.offset + first) % 2 == 0 ? Character($0.element.lowercased()) : Character($0.element.uppercased()) })
    } + [name, name.lowercased(), name.uppercased()]
  }

  @Test(arguments: KnownField.allCases)
  func everyNameIsKnownInAnyLetterCase(field: KnownField) {
    // A family's name is a prefix: something stands behind it.
    let name = field.name.hasSuffix("-") ? field.name + "Something" : field.name
    for spelling in self.oddCases(name) { #expect(self.known(spelling) == field, "\(spelling)") }
  }

  @Test(arguments: KnownField.allCases)
  func aNameWithAByteMoreOrLessIsAnother(field: KnownField) {
    guard !field.name.hasSuffix("-") else { return }
    #expect(self.known(field.name + "s") != field)
    #expect(self.known(String(field.name.dropLast())) != field)
    #expect(self.known("a" + field.name) == nil)
  }

  @Test(arguments: KnownField.allCases)
  func whatServersFoldIsReadAsHyphensInIdentityFieldsAlone(field: KnownField) {
    let name = field.name.hasSuffix("-") ? field.name + "foo" : field.name
    guard name.contains("-") else { return }
    for separator in "_.!#$%&'*+^`|~" {
      let spelled = name.replacing("-", with: String(separator))
      #expect(self.known(spelled) == (field.isIdentity ? field : nil), "\(spelled)")
    }
  }

  @Test func theFamiliesAreToldApart() {
    #expect(self.known("X_Remote_User") == .xRemoteUser)
    #expect(self.known("x-remote_extra_foo") == .xRemoteExtra)
    #expect(self.known("X-Remote-Extra-") == .xRemoteExtra)
    #expect(self.known("X-Remote-Extra") == .xRemoteOther)
    #expect(self.known("X-Remote-") == .xRemoteOther)
    #expect(self.known("X-Remote-Users") == .xRemoteOther)
    #expect(self.known("X-Remote") == nil)
    #expect(self.known("Impersonate-Foo") == .impersonateOther)
    #expect(self.known("impersonate_extra_scopes%2fa") == .impersonateExtra)
    #expect(self.known("Impersonate") == nil)
    #expect(self.known("X-Forwarded-For") == .xForwardedFor)
    #expect(self.known("X-Forwarded-Proto") == .xForwarded)
    #expect(self.known("x-forwarded_client_cert") == .xForwarded)
    #expect(self.known("Content_Length") == nil)
    #expect(self.known("Transfer_Encoding") == nil)
    #expect(self.known("") == nil)
    #expect(self.known("X") == nil)
    #expect(self.known(String(repeating: "x", count: 5000)) == nil)
    #expect(self.known("X-Remote-Extra-" + String(repeating: "x", count: 5000)) == .xRemoteExtra)
  }

  @Test func everyFieldThatSaysWhoSomebodyIsCountsAsIdentity() {
    for field in KnownField.allCases where field.name.hasPrefix("X-Remote") || field.name.hasPrefix("Impersonate") {
      #expect(field.isIdentity, "\(field)")
    }
    for field in [KnownField.forwarded, .xForwarded, .xForwardedFor, .xRealIP, .auditID, .authorization, .proxyAuthorization] {
      #expect(field.isIdentity, "\(field)")
    }
  }

  @Test func everyKindHasABitOfItsOwnInASet() {
    #expect(KnownField.allCases.count <= 64)
    for field in KnownField.allCases {
      #expect(KnownFields(field).rawValue.nonzeroBitCount == 1)
      #expect(KnownFields.hopByHop.contains(field) == field.isHopByHop, "\(field)")
      #expect(KnownFields.identity.contains(field) == field.isIdentity, "\(field)")
    }
  }

  @Test func bytesBesideLettersAreNotFolded() {
    // `@` and `[` stand around the letters and differ from a grave accent and a brace by the bit that tells cases apart.
    #expect(self.known("d@te") == nil)
    #expect(self.known("d`te") == nil)
    #expect(self.known("Host\u{0}") == nil)
    // What is no part of a name never gets so far; should it, it hides nobody.
    #expect(self.known("X\rRemote\rUser") == .xRemoteUser)
    #expect(self.known("Content\rLength") == nil)
  }
}

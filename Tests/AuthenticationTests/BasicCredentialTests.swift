import SallyportCore
import Testing

import struct Foundation.Data

@testable import SallyportAuthentication

@Suite struct BasicCredentialTests {
  private func decode(_ text: String) -> String? {
    Secret(text).withBytes { StrictBase64.decode($0) }.map { String(decoding: $0, as: UTF8.self) }
  }

  private func read(_ bytes: [UInt8]) throws(BasicCredential.Malformed) -> BasicCredential {
    let token = Array(Data(bytes).base64EncodedString().utf8)
    do {
      return try token.withUnsafeBytes { try BasicCredential(token: $0) }
    } catch let error as BasicCredential.Malformed {
      throw error
    } catch {
      throw .init(reason: "\(error)")
    }
  }

  private func read(_ text: String) throws(BasicCredential.Malformed) -> BasicCredential { try self.read(Array(text.utf8)) }

  // MARK: Base64

  @Test func canonicalBase64IsDecoded() {
    let vectors = [
      ("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"), ("Zm9vYmE=", "fooba"), ("Zm9vYmFy", "foobar"),
    ]
    for (text, plain) in vectors { #expect(self.decode(text) == plain) }
  }

  @Test func everyByteComesThroughBase64() {
    let bytes = Array(UInt8.min...UInt8.max)
    let text = Array(Data(bytes).base64EncodedString().utf8)
    #expect(text.withUnsafeBytes { StrictBase64.decode($0) } == bytes)
  }

  @Test(arguments: [
    "Zg", "Zg=", "Zg===", "Zm8", "Zm9vYg", "=", "==", "====", "Z===", "Zm=v", "Zg==Zg==", "Zm9v ", " Zm9v", "Zm 9v", "Zm9v\n", "Zm9v\tZm9v",
    "Zm9-", "Zm9_", "Zm9v=", "Zm9v====", "Zm9\0", "Zm9é",
  ])
  func everythingElseIsNoBase64(_ text: String) {
    #expect(self.decode(text) == nil)
  }

  @Test(arguments: ["Zh==", "Zm9=", "Zn==", "Zm//Zh=="])
  func leftOverBitsMustBeZero(_ text: String) {
    #expect(self.decode(text) == nil)
  }

  // MARK: The field

  @Test(arguments: ["Basic Zm9v", "basic Zm9v", "BASIC Zm9v", "bAsIc    Zm9v"])
  func theSchemeIsFoundInAnyLetterCase(_ value: String) {
    Secret(value).withBytes { bytes in
      let field = AuthorizationField(reading: bytes)
      #expect(field.isBasic)
      #expect(String(decoding: bytes[field.token], as: UTF8.self) == "Zm9v")
    }
  }

  @Test(arguments: [
    "", " ", "Bearer Zm9v", "Basi Zm9v", "Basic2 Zm9v", "Basic\tZm9v", "Basic,Zm9v", " Basic Zm9v", "BasicZm9v", "Negotiate",
  ])
  func everyOtherSchemeIsNotBasic(_ value: String) {
    Secret(value).withBytes { #expect(!AuthorizationField(reading: $0).isBasic) }
  }

  @Test(arguments: ["Basic", "Basic ", "Basic    "])
  func aSchemeAloneHasAnEmptyToken(_ value: String) {
    Secret(value).withBytes { bytes in
      #expect(AuthorizationField(reading: bytes).isBasic)
      #expect(AuthorizationField(reading: bytes).token.isEmpty)
    }
  }

  // MARK: The credential

  @Test func theNameEndsAtTheFirstColon() throws {
    let credential = try self.read("alice:pass:word:")
    #expect(credential.username == "alice")
    #expect(credential.password == Secret("pass:word:"))
  }

  @Test func namesAndPasswordsAreUTF8() throws {
    let credential = try self.read("zoë:pässwörd ☃")
    #expect(credential.username == "zoë")
    #expect(credential.password == Secret("pässwörd ☃"))
  }

  @Test func blanksAroundAPasswordBelongToIt() throws {
    #expect(try self.read("alice: x ").password == Secret(" x "))
  }

  @Test(arguments: [
    ("alice", "no colon"), (":secret", "user name is empty"), ("alice:", "password is empty"), (":", "user name is empty"),
    (" alice:x", "blank"), ("alice :x", "blank"), ("al\nice:x", "control"), ("al\0ice:x", "control"), ("alice:x\0y", "control"),
    ("alice:x\r\n", "control"), ("alice:\u{7F}", "control"), ("alice:\u{9B}", "control"), ("", "no credentials"),
  ])
  func malformedCredentialsAreRefusedWithAReason(_ text: String, _ reason: String) {
    let error = #expect(throws: BasicCredential.Malformed.self) { _ = try self.read(text) }
    #expect(error?.reason.contains(reason) == true)
  }

  @Test func latin1IsRefused() {
    #expect(throws: BasicCredential.Malformed(reason: "the Basic credentials are not UTF-8")) {
      _ = try self.read([0x7A, 0x6F, 0xEB, 0x3A, 0x78])
    }
    #expect(throws: BasicCredential.Malformed(reason: "the Basic credentials are not UTF-8")) {
      _ = try self.read([0x7A, 0x3A, 0xEB])
    }
  }

  @Test func theLongestNameAndPasswordAreReadAndNoLonger() throws {
    let (name, password) = (String(repeating: "n", count: 256), String(repeating: "p", count: 511))
    let credential = try self.read("\(name):\(password)")
    #expect(credential.username.utf8.count == 256)
    #expect(credential.password.count == 511)
    #expect(throws: BasicCredential.Malformed.self) { _ = try self.read("\(name)n:x") }
    #expect(throws: BasicCredential.Malformed.self) { _ = try self.read("a:\(password)p") }
    #expect(throws: BasicCredential.Malformed(reason: "the Basic credentials are too long")) { _ = try self.read("\(name):\(password)ppp") }
  }
}

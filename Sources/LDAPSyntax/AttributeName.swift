/// The name of an attribute: `uid`, `userCertificate;binary`, `2.5.4.3` (RFC 4512 section 2.5).
///
/// ```
/// attributedescription = attributetype options
/// attributetype = oid                  ; descr / numericoid
/// options = *( SEMI option )           ; option = 1*keychar
/// descr = ALPHA *( ALPHA / DIGIT / HYPHEN )
/// ```
public struct AttributeName: Sendable, Hashable, CustomStringConvertible {
  /// As it was written.
  public let text: String
  /// In lower case: names differ by nothing else.
  public let key: String

  public init(parsing text: String) throws(LDAPSyntaxFault) {
    guard Self.isDescription(Array(text.utf8)[...]) else {
      throw LDAPSyntaxFault("is not the name of an attribute", "write it as in uid, memberOf or 2.5.4.3")
    }
    self.text = text
    self.key = text.lowercased()
  }

  public static func == (left: Self, right: Self) -> Bool { left.key == right.key }
  public func hash(into hasher: inout Hasher) { hasher.combine(self.key) }
  public var description: String { self.text }

  static func isDescription(_ bytes: ArraySlice<UInt8>) -> Bool {
    let parts = bytes.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
    guard let type = parts.first, self.isObjectIdentifier(type) else { return false }
    return parts.dropFirst().allSatisfy { !$0.isEmpty && $0.allSatisfy(self.isKeyCharacter) }
  }

  /// A short name or numbers with dots between them (RFC 4512 section 1.4).
  static func isObjectIdentifier(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard let first = bytes.first else { return false }
    if self.isLetter(first) { return bytes.allSatisfy(self.isKeyCharacter) }
    let numbers = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    return numbers.count > 1
      && numbers.allSatisfy { number in
        !number.isEmpty && number.allSatisfy(self.isDigit) && (number.count == 1 || number.first != UInt8(ascii: "0"))
      }
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
  }
  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
  private static func isKeyCharacter(_ byte: UInt8) -> Bool { self.isLetter(byte) || self.isDigit(byte) || byte == UInt8(ascii: "-") }
}

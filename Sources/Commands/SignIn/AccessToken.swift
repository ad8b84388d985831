/// A token that somebody gives to a command.
public enum AccessToken {
  /// - Throws: ``CommandFailure`` for what cannot stand in a header
  public static func checked(_ text: String?) throws(CommandFailure) -> String {
    guard let text, !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw CommandFailure("standard input holds no token in its first line")
    }
    return text
  }
}

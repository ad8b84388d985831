import CPAM
import Glibc
import SallyportCore

/// Answers what PAM's modules ask: a question without echo with the password, and nothing else.
///
/// A module that asks for a second password (a one-time code) would get the first; it is told that there is no answer
/// instead. Used by one thread, that of its transaction.
final class PasswordConversation {
  private let password: Secret?
  private var isGiven = false
  /// Whether a module asked for something that there is no answer to.
  private(set) var wasAskedForMore = false

  init(_ password: Secret?) { self.password = password }

  /// pam_conv(3). PAM owns the answers and frees them.
  static let answer:
    @convention(c) (
      Int32, UnsafeMutablePointer<UnsafePointer<pam_message>?>?, UnsafeMutablePointer<UnsafeMutablePointer<pam_response>?>?,
      UnsafeMutableRawPointer?
    ) -> Int32 = { count, messages, answers, context in
      guard let messages, let answers, let context, (1...PAM_MAX_NUM_MSG).contains(count) else { return PAM_CONV_ERR }
      let conversation = Unmanaged<PasswordConversation>.fromOpaque(context).takeUnretainedValue()
      guard let responses = calloc(Int(count), MemoryLayout<pam_response>.stride) else { return PAM_BUF_ERR }
      let array = responses.assumingMemoryBound(to: pam_response.self)
      for index in 0..<Int(count) {
        guard let message = messages[index]?.pointee, conversation.answer(message, &array[index]) else {
          for given in 0..<index {
            if let text = array[given].resp {
              explicit_bzero(text, strlen(text))
              free(text)
            }
          }
          free(responses)
          return PAM_CONV_ERR
        }
      }
      answers.pointee = array
      return PAM_SUCCESS
    }

  private func answer(_ message: pam_message, _ response: inout pam_response) -> Bool {
    switch message.msg_style {
    case PAM_TEXT_INFO, PAM_ERROR_MSG: return true
    case PAM_PROMPT_ECHO_OFF:
      guard !self.isGiven, let copy = self.copy() else { break }
      self.isGiven = true
      response.resp = copy
      return true
    default: break
    }
    self.wasAskedForMore = true
    return false
  }

  /// The password as a C string that PAM frees; `nil` where there is none, or one that a NUL would cut.
  private func copy() -> UnsafeMutablePointer<CChar>? {
    guard let password = self.password else { return nil }
    return password.withBytes { bytes in
      guard !bytes.contains(0), let copy = malloc(bytes.count + 1)?.assumingMemoryBound(to: CChar.self) else { return nil }
      for (index, byte) in bytes.enumerated() { copy[index] = CChar(bitPattern: byte) }
      copy[bytes.count] = 0
      return copy
    }
  }
}

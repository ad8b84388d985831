extension String {
  /// The text as it stands in an element or in a quoted attribute of HTML. Nothing of a log is ever markup.
  var html: String {
    var result = ""
    result.reserveCapacity(self.utf8.count)
    for scalar in self.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default:
        // What is invisible or turns the direction of text would show something else than is there.
        if JSONLook.hides(scalar) { result += "&#xFFFD;" } else { result.unicodeScalars.append(scalar) }
      }
    }
    return result
  }
}

enum JSONLook {
  /// Control characters, and those that hide text or turn its direction.
  static func hides(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x00...0x1F, 0x7F...0x9F, 0xAD, 0x61C, 0x180E, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF, 0xFFF9...0xFFFB: true
    default: false
    }
  }
}

import CPAM
import Glibc

/// The groups of a user as the system's name service has them.
enum SystemGroups {
  /// The most groups that are asked about; more is no answer.
  private static let most = 4096

  /// The names of the user's groups, the primary one included; none for a user that the system does not know, who may well
  /// be known to PAM.
  ///
  /// - Returns: `nil` where they cannot be read
  static func names(of user: String) -> [String]? {
    var primary: gid_t?
    guard
      self.withBuffer({ buffer, size in
        var record = passwd()
        var found: UnsafeMutablePointer<passwd>?
        let code = getpwnam_r(user, &record, buffer, size, &found)
        if code == 0, found != nil { primary = record.pw_gid }
        return code
      })
    else { return nil }
    guard let primary else { return [] }
    var count = Int32(self.most)
    var ids = [gid_t](repeating: 0, count: self.most)
    guard getgrouplist(user, primary, &ids, &count) >= 0 else { return nil }
    var names: [String] = []
    for id in ids.prefix(Int(count)) {
      var name: String?
      var isText = true
      let isRead = self.withBuffer { buffer, size in
        var record = group()
        var found: UnsafeMutablePointer<group>?
        let code = getgrgid_r(id, &record, buffer, size, &found)
        if code == 0, found != nil, let text = record.gr_name {
          name = String(validatingCString: text)
          isText = name != nil
        }
        return code
      }
      // A number without a name is nobody's group here; a rule could not speak of it.
      guard isRead, isText else { return nil }
      if let name { names.append(name) }
    }
    return names
  }

  /// Calls one of the reentrant functions with a buffer that grows until its answer fits.
  private static func withBuffer(_ call: (UnsafeMutablePointer<CChar>, Int) -> Int32) -> Bool {
    var size = 16384
    while size <= 1 << 22 {
      let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: size)
      defer { buffer.deallocate() }
      switch call(buffer, size) {
      case 0, ENOENT, ESRCH: return true
      case ERANGE: size *= 4
      case EINTR: continue
      default: return false
      }
    }
    return false
  }
}

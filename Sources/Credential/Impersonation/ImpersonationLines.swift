import NIOCore
import SallyportCore

extension RequestedImpersonation {
  /// The fields by which the upstream is asked to take somebody for somebody else, behind those that say who somebody is.
  ///
  /// - Throws: ``Problem`` (400) where they cannot be written
  func lines(behind lines: ByteBuffer) throws(Problem) -> ByteBuffer {
    var writer = IdentityFieldWriter(capacity: 256)
    do {
      try writer.write(.impersonate, user: self.user, uid: self.uid, groups: self.groups, extra: self.extra)
    } catch {
      throw .impersonationNotWritable.with(detail: error.description)
    }
    var all = lines
    all.writeImmutableBuffer(writer.buffer)
    return all
  }
}

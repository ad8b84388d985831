import Foundation
import SallyportAudit
import SallyportConfiguration
import SallyportStrictYAML

extension GatewayConfiguration.Audit {
  /// The section as the log takes it.
  var logConfiguration: AuditLogConfiguration {
    AuditLogConfiguration(
      directory: self.directory.path, durability: self.durability == .synced ? .synced : .written,
      rotation: LogRotation(
        size: self.rotation.size, every: self.rotation.every, keep: self.rotation.keep, maximumAge: self.rotation.maxAge,
        totalSize: self.rotation.totalSize, compresses: self.rotation.compress),
      unauthenticatedBudget: self.unauthenticatedSize, checkpointKeyFile: self.checkpointKeyFile?.path, printsRecords: self.stdout)
  }

  /// Reads the policy file, if there is one.
  func readPolicy() throws(StartFault) -> AuditPolicy? {
    guard let policyFile else { return nil }
    guard let content = FileManager.default.contents(atPath: policyFile.path) else {
      throw StartFault(
        FileFaults([FileFault(at: policyFile.place, "names \(policyFile.path), which cannot be read", "check the path and its permissions")]
        ))
    }
    do throws(FileFaults) {
      var policy = try AuditPolicy.decode(bytes: content, fileName: policyFile.path)
      policy.bodyLimit = self.bodyLimit
      return policy
    } catch {
      throw StartFault(error)
    }
  }
}

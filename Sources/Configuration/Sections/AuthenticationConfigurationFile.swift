import Foundation
public import SallyportStrictYAML

extension GatewayConfiguration.Authentication {
  /// The issuers of a file of Kubernetes' kind `AuthenticationConfiguration`, as kube-apiserver takes it.
  ///
  /// What is not done here is a fault: CEL expressions, and opening everything to anybody (`anonymous`).
  ///
  /// - Throws: every fault of the file
  public static func issuers(in file: NamedFile) throws(FileFaults) -> [JWT] {
    let content: [UInt8]
    do {
      let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file.path))
      defer { try? handle.close() }
      content = Array(try handle.read(upToCount: YAMLLimits().bytes + 1) ?? Data())
    } catch {
      throw FileFaults([FileFault(at: file.place, "names \(file.path), which cannot be read", "check its path and permissions")])
    }
    return try self.issuers(content: content, fileName: file.path)
  }

  static func issuers(content: [UInt8], fileName: String) throws(FileFaults) -> [JWT] {
    try StrictYAML.decode(bytes: content, fileName: fileName) { document in
      document.mapping { keys in
        _ = keys.required("apiVersion")?.choice(of: KubernetesVersion.self)
        _ = keys.required("kind")?.choice(of: KubernetesKind.self)
        keys.optional("anonymous").map(Self.checkAnonymous)
        return keys.required("jwt")?.list(atLeast: 1, JWT.init)
      }
    }
  }

  private enum KubernetesVersion: String, CaseIterable {
    case v1 = "apiserver.config.k8s.io/v1"
    case v1beta1 = "apiserver.config.k8s.io/v1beta1"
    case v1alpha1 = "apiserver.config.k8s.io/v1alpha1"
  }

  private enum KubernetesKind: String, CaseIterable { case authenticationConfiguration = "AuthenticationConfiguration" }

  private static func checkAnonymous(_ yaml: YAMLCursor) {
    _ = yaml.mapping { keys in
      if keys.required("enabled")?.boolean() == true {
        yaml["enabled"].fault("opens the API to anybody", "write false, and open single paths by a route's `anonymous`")
      }
      keys.notInThisVersion("conditions")
      return ()
    }
  }
}

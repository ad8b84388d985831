import Foundation
import SallyportJSON

/// The versions of client.authentication.k8s.io that are spoken. What is said here is the same in both.
public enum ExecVersion: String, Sendable, CaseIterable {
  /// kubectl 1.22 and later.
  case v1
  /// kubectl before 1.24.
  case v1beta1

  var apiVersion: String { "client.authentication.k8s.io/\(self.rawValue)" }
}

/// What kubectl tells a plugin (`KUBERNETES_EXEC_INFO`, client.authentication.k8s.io/v1 `ExecCredential`).
public struct ExecInfo: Sendable {
  /// How kubectl wants to be answered.
  public let version: ExecVersion
  /// Whether the plugin may ask its user something.
  public let isInteractive: Bool
  /// The API server's URL, where the kubeconfig has `provideClusterInfo`.
  public let server: String?
  /// PEM
  public let authorities: [UInt8]?

  /// - Parameter text: the variable; `nil` where somebody else runs the plugin, who is asked what kubectl would be told not to
  /// - Throws: ``CommandFailure`` for another version, or what cannot be read
  public init(_ text: String?) throws(CommandFailure) {
    guard let text else {
      self.version = .v1
      self.isInteractive = true
      self.server = nil
      self.authorities = nil
      return
    }
    guard let document = try? JSONReader.read(text.utf8), document["kind"]?.string == "ExecCredential" else {
      throw CommandFailure("KUBERNETES_EXEC_INFO holds no ExecCredential")
    }
    guard let version = ExecVersion.allCases.first(where: { $0.apiVersion == document["apiVersion"]?.string }) else {
      throw CommandFailure("kubectl asks for another version than \(ExecVersion.v1.apiVersion); write that into the kubeconfig")
    }
    self.version = version
    self.isInteractive = document["spec"]?["interactive"]?.bool ?? false
    let cluster = document["spec"]?["cluster"]
    self.server = cluster?["server"]?.string
    self.authorities = cluster?["certificate-authority-data"]?.string.flatMap { Data(base64Encoded: $0) }.map { Array($0) }
  }
}

/// What a plugin answers kubectl with.
public enum ExecCredential {
  /// - Returns: JSON in one line. kubectl asks anew when the token ends.
  public static func json(_ token: SignedIn.Token, _ version: ExecVersion = .v1) -> String {
    let ends = token.ends.addingTimeInterval(-SignedIn.margin).ISO8601Format()
    let document: JSONValue = .object([
      "apiVersion": .string(version.apiVersion), "kind": .string("ExecCredential"),
      "status": .object(["expirationTimestamp": .string(ends), "token": .string(token.text)]),
    ])
    return String(decoding: JSONWriter.write(document), as: UTF8.self)
  }
}

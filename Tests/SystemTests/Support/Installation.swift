import Foundation
import TestSupport

/// Where the programs are that the system tests run. Whatever is missing fails the test that needs it.
enum Installation {
  /// The folder that the build puts its programs in, and this test among them.
  private static let products = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

  /// The package's folder: the nearest one above with a `Package.swift`.
  static let package: URL = {
    var folder = Self.products
    while folder.path != "/", !FileManager.default.fileExists(atPath: folder.appending(path: "Package.swift").path) {
      folder.deleteLastPathComponent()
    }
    return folder
  }()

  static let sallyport = Self.products.appending(path: "sallyport").path
  static let python = Self.package.appending(path: ".build/python/bin/python").path
  /// The Python that kube-web-view is installed in.
  static let kubeWebView = Self.package.appending(path: ".build/kube-web-view/bin/python").path
  /// Where the test scripts put what they unpack.
  static let build = Self.package.appending(path: ".build").path
  static let debianKubectl = Self.package.appending(path: ".build/debian-kubectl/usr/bin/kubectl").path

  /// A program in `Tests/SystemTests/Clients`.
  static func client(_ name: String) -> String { Self.package.appending(path: "Tests/SystemTests/Clients/\(name)").path }
}

/// Runs `sallyport` to its end.
func sallyport(_ arguments: String..., input: String? = nil, directory: String? = nil) async throws -> ToolRun {
  try await run(Installation.sallyport, arguments, input: input.map { Data($0.utf8) }, directory: directory)
}

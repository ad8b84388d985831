import SallyportConfiguration
import SallyportPolicy
import SallyportStrictYAML

/// The policies of a configuration, read from their files and held against the routes that name them.
struct RoutePolicies {
  private let documents: [PolicyDocument]
  /// What can be used, and somebody should look at it.
  private(set) var warnings: [FileFault]

  /// Reads every policy file.
  ///
  /// - Throws: every fault of every file; a pattern that names no file; a policy that no route refers to, or two of one name;
  ///   a route that names a policy which is not there
  init(_ configuration: GatewayConfiguration) throws(FileFaults) {
    var faults: [FileFault] = []
    var documents: [PolicyDocument] = []
    var read: Set<String> = []
    for file in configuration.policy.files {
      let paths = PolicyFiles.matching(file.path)
      if paths.isEmpty {
        faults.append(FileFault(at: file.place, "names no file", "check the path, or remove it"))
      }
      for path in paths where read.insert(path).inserted {
        do throws(FileFaults) {
          documents.append(try PolicyFiles.load(path))
        } catch {
          faults += error.faults
        }
      }
    }
    faults += Self.repeatedNames(documents)
    // A policy that could not be read is named all the same: that it is unknown would only hide why.
    if faults.isEmpty { faults = Self.brokenReferences(configuration, documents) }
    guard faults.isEmpty else { throw FileFaults(inOrder: faults) }
    self.documents = documents
    self.warnings = documents.flatMap(\.warnings)
  }

  private static func repeatedNames(_ documents: [PolicyDocument]) -> [FileFault] {
    var seen: [String: FilePlace] = [:]
    return documents.compactMap { document in
      guard let earlier = seen.updateValue(document.place, forKey: document.name) else { return nil }
      return FileFault(at: document.place, "is the name of the policy in \(earlier.file)", "choose another")
    }
  }

  private static func brokenReferences(_ configuration: GatewayConfiguration, _ documents: [PolicyDocument]) -> [FileFault] {
    var faults: [FileFault] = []
    let known = documents.map(\.name)
    for reference in configuration.routes.flatMap({ $0.policies ?? [] }) where !known.contains(reference.name) {
      let remedy =
        NearestName.of(reference.name, among: known).map { "did you mean `\($0)`?" } ?? "add its file to `policy.files`, or remove the name"
      faults.append(FileFault(at: reference.place, "names no policy", remedy))
    }
    if configuration.routes.allSatisfy({ $0.policies != nil }) {
      let used = Set(configuration.routes.flatMap { $0.policies ?? [] }.map(\.name))
      for document in documents where !used.contains(document.name) {
        faults.append(
          FileFault(at: document.place, "is a policy that no route refers to", "name it in a route's `policies`, or remove the file"))
      }
    }
    return faults
  }

  /// The policies that judge a route's requests.
  func documents(for route: GatewayConfiguration.Route) -> [PolicyDocument] {
    guard let names = route.policies.map({ Set($0.map(\.name)) }) else { return self.documents }
    return self.documents.filter { names.contains($0.name) }
  }
}

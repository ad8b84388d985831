import SallyportPolicy
import SallyportService
import SallyportStrictYAML

/// Policy files that somebody named: files, or patterns of them.
struct PolicyFileSet {
  let documents: [PolicyDocument]

  /// - Parameter together: whether the policies are to be used together, so that no two may have one name
  /// - Throws: every fault of every file; a name that leads to no file; two policies of one name
  init(_ names: [String], together: Bool) throws(StartFault) {
    var faults: [String] = []
    var documents: [PolicyDocument] = []
    for name in names {
      let paths = PolicyFiles.matching(name)
      if paths.isEmpty { faults.append("\(name): names no file; check the path") }
      for path in paths where !documents.contains(where: { $0.place.file == path }) {
        do throws(FileFaults) {
          let document = try PolicyFiles.load(path)
          if together, let other = documents.first(where: { $0.name == document.name }) {
            faults.append(
              FileFault(at: document.place, "is the name of the policy in \(other.place.file)", "choose another").description)
          }
          documents.append(document)
        } catch {
          faults += error.faults.map(\.description)
        }
      }
    }
    guard faults.isEmpty else { throw StartFault(faults) }
    self.documents = documents
  }
}

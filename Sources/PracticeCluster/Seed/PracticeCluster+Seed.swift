/// Why an object cannot be seeded.
public struct SeedError: Error, CustomStringConvertible {
  public let description: String
}

extension PracticeCluster {
  /// Puts objects into the cluster, in the place of those with the same name; nothing is checked or filled in but what
  /// every object has (UID, time of creation, resource version).
  ///
  /// - Parameter manifests: JSON objects with `apiVersion`, `kind` and `metadata.name`; without a namespace a namespaced
  ///   one goes to `default`
  /// - Throws: ``SeedError`` for text that is no JSON and for kinds that the practice cluster does not keep
  public func seed(_ manifests: String...) throws {
    for manifest in manifests {
      var object: JSON
      do {
        object = try JSONReader.read(manifest)
      } catch {
        throw SeedError(description: "a seed is no JSON: \(error)")
      }
      let kind = object["kind"]?.string ?? ""
      guard let type = ResourceCatalog.all.first(where: { $0.kind == kind && $0.groupVersion == object["apiVersion"]?.string }),
        type.isStored
      else { throw SeedError(description: "the practice cluster keeps no objects of kind \(kind.quoted)") }
      guard object[["metadata", "name"]]?.string != nil else { throw SeedError(description: "a seed of kind \(kind) has no name") }
      if type.isNamespaced, object[["metadata", "namespace"]] == nil { object.set("default", at: "metadata", "namespace") }
      try DemoSeed.add(type, object, in: self.store)
    }
  }

  /// Puts config maps of about 32 KB into the namespace `large`, so many that their list is about this long. Their content
  /// is made up while it is sent and costs no memory before.
  public func seedLargeList(bytes: Int) throws {
    let each = 32 * 1024
    try DemoSeed.namespace("large", in: self.store)
    for number in 0..<(bytes + each - 1) / each {
      let digits = String(number)
      let name = "filler-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
      try DemoSeed.add(
        ResourceCatalog.configMaps, ["metadata": ["name": .string(name), "namespace": "large"]], fillerBytes: each, in: self.store)
    }
  }
}

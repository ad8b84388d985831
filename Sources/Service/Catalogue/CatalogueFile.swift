public import SallyportPolicy

import struct Foundation.Data
import class Foundation.FileHandle
import struct Foundation.URL

extension Catalogue {
  /// Reads the OpenAPI document that an upstream's `openapi` names.
  ///
  /// The document is the operator's own, so everything that cannot be matched safely is refused.
  ///
  /// - Parameter pathPrefix: what stands before the document's paths at the upstream; `nil` to believe the document
  /// - Returns: the catalogue, and what an operator should look at
  /// - Throws: ``StartFault``, everything that is wrong
  public static func reading(
    file path: String, pathPrefix: String? = nil, limits: OpenAPILimits = OpenAPILimits()
  ) throws(StartFault) -> (catalogue: Catalogue, warnings: [String]) {
    let bytes: [UInt8]
    do {
      let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
      defer { try? handle.close() }
      // One byte more than is allowed, so that a device or a huge file costs no more than a large one.
      bytes = Array(try handle.read(upToCount: limits.bytes + 1) ?? Data())
    } catch {
      throw StartFault(["\(path): cannot be read; check the path and its permissions"])
    }
    do {
      let document = try OpenAPIReader(limits: limits, pathPrefix: pathPrefix).read(bytes, name: path)
      return (document.catalogue, document.warnings.map(\.description))
    } catch {
      throw StartFault(error.faults.map(\.description))
    }
  }
}

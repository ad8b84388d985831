/// Why a demo cannot begin, and what to do.
struct DemoFault: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// What hands out a schema's objects: the kinds whose every action does, and the operations whose answers say so.
struct ReturnedSchema {
  /// Numbers of the kind index.
  let kinds: Set<Int32>
  /// Places in the catalogue.
  let operations: Set<Int>

  init(_ schema: String, _ catalogue: Catalogue, _ index: KindIndex) {
    var kinds: Set<Int32> = []
    if let kind = catalogue.kindsBySchema[schema].flatMap(index.number) { kinds.insert(kind) }
    self.operations = Set(catalogue.operations(answeringWith: [schema]))
    // A kind that holds the schema is handed out by each of its actions, whatever their own schemas say.
    for operation in self.operations {
      if let holder = catalogue.operations[operation].kind.flatMap(index.number) { kinds.insert(holder) }
    }
    self.kinds = kinds
  }

  var isEmpty: Bool { self.kinds.isEmpty && self.operations.isEmpty }
}

/// The known name that somebody most likely meant.
public enum NearestName {
  /// The nearest of `names` if it is near enough to be a slip: another letter case, or an edit for each three letters.
  public static func of(_ name: String, among names: some Sequence<String>) -> String? {
    // Some operationIds of Kubernetes have 100 letters.
    guard name.utf8.count <= 128 else { return nil }
    let folded = Array(name.lowercased().unicodeScalars)
    var best: (name: String, distance: Int)?
    // A name with a control character in it is itself a slip, and must not get onto a terminal.
    for candidate in names.sorted() where !candidate.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
      let distance = self.distance(folded, Array(candidate.lowercased().unicodeScalars))
      if distance <= max(1, candidate.count / 3), distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.name
  }

  /// Edits (insert, remove, replace, swap neighbours) between two words.
  private static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
    var beforeLast = [Int](repeating: 0, count: right.count + 1)
    var last = Array(0...right.count)
    for row in 0..<left.count {
      var current = [row + 1]
      current.reserveCapacity(right.count + 1)
      for column in 0..<right.count {
        let replaced = last[column] + (left[row] == right[column] ? 0 : 1)
        var cost = min(current[column] + 1, last[column + 1] + 1, replaced)
        if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
          cost = min(cost, beforeLast[column - 1] + 1)
        }
        current.append(cost)
      }
      beforeLast = last
      last = current
    }
    return last[right.count]
  }
}

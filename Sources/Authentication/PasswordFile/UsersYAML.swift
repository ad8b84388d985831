import SallyportCore
import SallyportStrictYAML

/// Reads `users.yaml`.
enum UsersYAML {
  static func read(_ content: [UInt8], name: String, _ reader: UserReader) throws(FileFaults) -> [UserReader.Entry] {
    let limits = YAMLLimits(bytes: PasswordFile.largestFile, depth: 8)
    return try StrictYAML.decode(bytes: content, fileName: name, limits: limits) { document in
      let users = document.mapping { keys in
        keys.required("users")?.list(atLeast: 1) { self.user($0, reader) }
      }
      guard let users else { return nil }
      let duplicates = Dictionary(UserReader.duplicates(among: users.map(\.entry)).map { ($0.place, $0) }) { first, _ in first }
      for user in users {
        // Only the cursor can put a fault beside the document's others.
        if let duplicate = duplicates[user.entry.place] { user.name.fault(duplicate.problem, duplicate.remedy) }
      }
      return users.map(\.entry)
    }
  }

  private struct Placed {
    let entry: UserReader.Entry
    let name: YAMLCursor
  }

  private static func user(_ user: YAMLCursor, _ reader: UserReader) -> Placed? {
    user.mapping { keys in
      let nameCursor = keys.required("name")
      let name = nameCursor.flatMap { self.text($0, reader.userName) }
      let hash = keys.required("passwordHash").flatMap { cursor in
        cursor.text().flatMap { text in cursor.parsed { _ throws(ValueFault) in try PasswordHash(text) } }
      }
      let groups = keys.optional("groups").map { self.groups($0, reader) } ?? []
      let uid = keys.optional("uid").map { self.text($0, UserReader.text) }
      let extra = keys.optional("extra").map(self.extra) ?? []
      let isDisabled = keys.optional("disabled").map { $0.boolean() } ?? false
      // A part that could not be read has its fault on record, and the file as a whole is refused for it.
      guard let nameCursor, let name, let hash, let groups, let extra, let isDisabled else { return nil }
      let entry = reader.entry(
        name: name, hash: hash, groups: groups, uid: uid ?? nil, extra: extra, isDisabled: isDisabled, at: nameCursor.place)
      return Placed(entry: entry, name: nameCursor)
    }
  }

  private static func groups(_ cursor: YAMLCursor, _ reader: UserReader) -> [String]? {
    guard let groups = cursor.list({ self.text($0, reader.groupName) }) else { return nil }
    guard groups.count <= NameRules.mostGroups else {
      cursor.fault("has more than \(NameRules.mostGroups) groups", "list fewer")
      return nil
    }
    return groups
  }

  private static func extra(_ cursor: YAMLCursor) -> [Identity.Extra]? {
    let entries = cursor.dictionary { key, values in
      do throws(ValueFault) {
        let key = try UserReader.extraKey(key)
        return values.list(atLeast: 1) { self.text($0, UserReader.text) }.map { Identity.Extra(key: key, values: $0) }
      } catch {
        values.fault(error.problem, error.remedy)
        return nil
      }
    }
    guard let entries else { return nil }
    guard entries.count <= NameRules.mostGroups else {
      cursor.fault("has more than \(NameRules.mostGroups) keys", "list fewer")
      return nil
    }
    return entries.map(\.value).sorted { $0.key < $1.key }
  }

  /// Text in quotes or plain, never a number or a boolean, that keeps a rule.
  private static func text(_ cursor: YAMLCursor, _ rule: (String) throws(ValueFault) -> String) -> String? {
    guard let text = cursor.text() else { return nil }
    do throws(ValueFault) {
      return try rule(text)
    } catch {
      cursor.fault(error.problem, error.remedy)
      return nil
    }
  }
}

import SallyportStrictYAML

/// Reads `name:hash` lines, as Apache's `htpasswd -B` writes them.
enum Htpasswd {
  static func read(_ content: [UInt8], name file: String, _ reader: UserReader) throws(FileFaults) -> [UserReader.Entry] {
    var entries: [UserReader.Entry] = []
    var faults: [FileFault] = []
    for (index, bytes) in content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
      // A file from Windows ends its lines with CRLF.
      let line = bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes
      guard !line.isEmpty, line.first != UInt8(ascii: "#") else { continue }
      do throws(LineFault) {
        entries.append(try self.entry(line, at: FilePlace(file: file, line: index + 1, column: 1, keyPath: ""), reader))
      } catch {
        let place = FilePlace(file: file, line: index + 1, column: error.column, keyPath: "")
        faults.append(FileFault(at: place, error.fault.problem, error.fault.remedy))
      }
    }
    faults += UserReader.duplicates(among: entries)
    if entries.isEmpty, faults.isEmpty {
      let place = FilePlace(file: file, line: 1, column: 1, keyPath: "")
      faults.append(FileFault(at: place, "holds no user", "add a line `name:hash`, as htpasswd -nB NAME prints it"))
    }
    guard faults.isEmpty else { throw FileFaults(faults) }
    return entries
  }

  private struct LineFault: Error {
    let column: Int
    let fault: ValueFault
  }

  private static func entry(_ line: ArraySlice<UInt8>, at place: FilePlace, _ reader: UserReader) throws(LineFault) -> UserReader.Entry {
    guard let text = String(validating: line, as: UTF8.self) else {
      throw LineFault(column: 1, fault: ValueFault("the line is not UTF-8", "save the file in UTF-8"))
    }
    guard let colon = text.unicodeScalars.firstIndex(of: ":") else {
      throw LineFault(column: 1, fault: ValueFault("the line has no colon", "write `name:hash`, as htpasswd -nB NAME prints it"))
    }
    let name = String(text.unicodeScalars[..<colon])
    let hashText = String(text.unicodeScalars[text.unicodeScalars.index(after: colon)...])
    do throws(ValueFault) {
      _ = try reader.userName(name)
    } catch {
      throw LineFault(column: 1, fault: ValueFault("the user name \(error.problem)", error.remedy))
    }
    do throws(ValueFault) {
      return reader.entry(name: name, hash: try PasswordHash(hashText), at: place)
    } catch {
      // In Unicode scalars, as everywhere: the name, the colon, and the first of the hash.
      throw LineFault(column: name.unicodeScalars.count + 2, fault: ValueFault("the hash \(error.problem)", error.remedy))
    }
  }
}

import NIOCore

/// `tar`, as far as `kubectl cp` needs it: `tar cf - PATH…` and `tar xf - [-C FOLDER]`.
enum Tar {
  static func program(_ arguments: [String], _ place: PodPlace) -> any PodProgram {
    var flags = ""
    var folder = "/"
    var paths: [String] = []
    var isFirst = true
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      switch argument {
      case "-C": folder = FileTree.absolute(rest.popFirst() ?? "/", in: folder)
      case "-": break
      // Owners are not kept, and modes always.
      case _ where argument.hasPrefix("--"): break
      case _ where isFirst, _ where argument.hasPrefix("-"): flags += argument.drop { $0 == "-" }
      default: paths.append(argument)
      }
      isFirst = false
    }
    if flags.contains("x") { return Extracting(place: place, folder: folder) }
    if flags.contains("c") { return Done(self.archive(paths, in: folder, place)) }
    return Done([.stderr("tar: You must specify one of the -cx options\n"), .exit(2)])
  }

  private static func archive(_ paths: [String], in folder: String, _ place: PodPlace) -> [ProgramOutput] {
    var output: [ProgramOutput] = []
    var failed = false
    for path in paths {
      let found = place.files.read(place) { $0.all(below: FileTree.absolute(path, in: folder)) }
      if found.isEmpty {
        output.append(.stderr("tar: \(path): Cannot stat: No such file or directory\n"))
        failed = true
      } else if path.hasPrefix("/") {
        output.append(.stderr("tar: Removing leading `/' from member names\n"))
      }
      let base = FileTree.absolute(path, in: folder)
      let shown = path.drop { $0 == "/" }
      for (file, content) in found {
        let name = "\(shown)\(file.dropFirst(base == "/" ? 0 : base.count))"
        if !name.isEmpty { output.append(.stdout(TarWriter.entry(name, content))) }
      }
    }
    output.append(.stdout(TarWriter.end))
    if failed { output.append(.stderr("tar: Exiting with failure status due to previous errors\n")) }
    return output + [.exit(failed ? 2 : 0)]
  }

  private struct Extracting: PodProgram {
    let place: PodPlace
    let folder: String
    private var reader = TarReader()

    init(place: PodPlace, folder: String) {
      self.place = place
      self.folder = folder
    }

    mutating func input(_ bytes: ByteBuffer) -> [ProgramOutput] {
      do {
        let entries = try self.reader.read(bytes)
        try self.place.files.change(self.place) { tree in
          for entry in entries { try tree.put(entry.file, at: FileTree.absolute(entry.name, in: self.folder)) }
        }
        return []
      } catch let fault as StreamFault {
        return [.stderr("tar: \(fault)\n"), .exit(2)]
      } catch {
        return [.stderr("tar: No space left on device\n"), .exit(2)]
      }
    }

    mutating func inputEnded() -> [ProgramOutput] {
      self.reader.isAtEnd ? [.exit(0)] : [.stderr("tar: Unexpected EOF in archive\n"), .exit(2)]
    }
  }
}

import Foundation
import SallyportAudit

/// Checks that a log is the one that was written: every record, their order, the files, the signatures.
public struct LogVerifier {
  private let keys: [String: CheckpointPublicKey]
  private let anchors: [ChainAnchor]
  /// Called now and then with the bytes that were read and those that there are.
  private let progress: (Int, Int) -> Void

  /// - Parameters:
  ///   - publicKeys: in PEM, the keys whose signatures count
  ///   - anchors: records that the log must hold
  /// - Throws: where a key is none
  public init(
    publicKeys: [String], anchors: [ChainAnchor] = [], progress: @escaping (_ read: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(ReviewFault) {
    var keys: [String: CheckpointPublicKey] = [:]
    for pem in publicKeys {
      do throws(KeyFault) {
        let key = try CheckpointPublicKey(pem: pem)
        keys[key.identifier] = key
      } catch {
        throw ReviewFault("a public key \(error)")
      }
    }
    self.keys = keys
    self.anchors = anchors
    self.progress = progress
  }

  /// The public key that the log's writer left in a directory. It says that the log is of one piece; whoever can write to the
  /// directory can have put another key there, so that a copy in a safe place says more.
  public static func publicKey(in directory: String) -> String? {
    FileManager.default.contents(atPath: "\(directory)/\(CheckpointKeyFile.publicName)").map { String(decoding: $0, as: UTF8.self) }
  }

  /// The public half of a private key file.
  public static func publicKey(ofPrivateKey path: String) throws(ReviewFault) -> String {
    guard let content = FileManager.default.contents(atPath: path) else { throw ReviewFault("\(path): cannot be read") }
    do throws(KeyFault) {
      return try CheckpointKey(pem: String(decoding: content, as: UTF8.self)).publicKey.pem
    } catch {
      throw ReviewFault("\(path) \(error)")
    }
  }

  /// - Parameter paths: directories of a log, or files of it; of files in directories nothing may be missing
  public func verify(_ paths: [String]) throws(ReviewFault) -> VerificationReport {
    for _ in 1...3 {
      let files = try LogFiles(paths)
      let report = Result { () throws(ReviewFault) in try self.verify(files) }
      // A file may have been closed or compressed meanwhile, and what was read is then not the log of any moment.
      if try LogFiles(paths).isSame(as: files) { return try report.get() }
    }
    throw ReviewFault("the files are being closed faster than they can be read; verify a copy of them")
  }

  private func verify(_ files: LogFiles) throws(ReviewFault) -> VerificationReport {
    var report = VerificationReport()
    let total = files.files.reduce(0) { $0 + $1.size }
    var before = 0
    for series in AuditSeries.allCases {
      let ofSeries = files.files.filter { $0.series == series }
      if ofSeries.isEmpty {
        for directory in files.directories where series == .requests {
          report.add(.file, directory, "there is no \(series.fileName)")
        }
        continue
      }
      var verifier = SeriesVerifier(
        series, keys: self.keys, anchors: self.anchors, heads: self.heads(of: series, in: files.directories, &report),
        liveDirectories: Set(files.directories.filter(Self.isLive)))
      for file in ofSeries {
        try verifier.read(file, into: &report) { self.progress(before + $0, total) }
        before += file.size
      }
      verifier.finish(isWhole: !files.directories.isEmpty, into: &report)
    }
    self.progress(total, total)
    return report
  }

  private func heads(of series: AuditSeries, in directories: [String], _ report: inout VerificationReport) -> [ChainAnchor] {
    var heads: [ChainAnchor] = []
    for directory in directories {
      let path = "\(directory)/\(ChainHead.fileName(series))"
      guard let content = FileManager.default.contents(atPath: path) else {
        report.notes.append("\(path): is missing, so that a log put back to an older state would not be noticed by it")
        continue
      }
      let head = self.keys.values.lazy.compactMap { key in Array(content).withUnsafeBytes { ChainHead($0, signedBy: key) } }.first
      guard let head else {
        report.add(.signature, path, "is not signed by a key that was given")
        continue
      }
      heads.append(
        ChainAnchor(series: series.rawValue, sequence: head.chain.sequence, link: head.chain.value.description))
    }
    return heads
  }

  /// Whether a process writes to the directory now.
  private static func isLive(_ directory: String) -> Bool {
    let file = open("\(directory)/.lock", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return false }
    defer { close(file) }
    guard flock(file, LOCK_SH | LOCK_NB) == 0 else { return true }
    flock(file, LOCK_UN)
    return false
  }
}

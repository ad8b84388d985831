import NIOSSL
import SallyportCore
import SwiftASN1

import struct Foundation.CocoaError
import struct Foundation.Data
import struct Foundation.URL

/// Reads the PEM files of a listener; every fault names the file.
enum PEMFile {
  /// The certificates of a file, in their order, as DER.
  static func certificates(in file: String, fault: Problem) throws(Problem) -> [[UInt8]] {
    let documents = try self.documents(in: file, fault: fault)
    var certificates: [[UInt8]] = []
    for (index, document) in documents.enumerated() {
      // A bundle often carries the key too; it is not ours to use from here.
      if document.discriminator.hasSuffix("PRIVATE KEY") { continue }
      guard document.discriminator == "CERTIFICATE" else {
        throw fault.with(detail: "\(file): PEM block \(index + 1) is \"\(document.discriminator)\", not CERTIFICATE")
      }
      certificates.append(document.derBytes)
    }
    guard !certificates.isEmpty else { throw fault.with(detail: "\(file): holds no PEM block CERTIFICATE") }
    return certificates
  }

  /// The private key of a file.
  static func privateKey(in file: String) throws(Problem) -> NIOSSLPrivateKey {
    let fault = ListenerProblem.keyUnusable
    let text = try self.text(of: file)
    guard text.contains("PRIVATE KEY-----") else { throw fault.with(detail: "\(file): holds no PEM block PRIVATE KEY") }
    guard !text.contains("ENCRYPTED") else {
      throw fault.with(detail: "\(file): the private key is encrypted; a key without a passphrase is needed")
    }
    do {
      return try NIOSSLPrivateKey(bytes: Array(text.utf8), format: .pem)
    } catch {
      // What the library says could quote the key, so it is not repeated.
      throw fault.with(detail: "\(file): the private key cannot be decoded")
    }
  }

  private static func documents(in file: String, fault: Problem) throws(Problem) -> [PEMDocument] {
    let text = try self.text(of: file)
    do {
      return try PEMDocument.parseMultiple(pemString: text)
    } catch {
      throw fault.with(detail: "\(file): is no readable PEM: \(error)")
    }
  }

  private static func text(of file: String) throws(Problem) -> String {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: file))
    } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
      throw ListenerProblem.fileUnreadable.with(detail: "\(file): there is no such file")
    } catch let error as CocoaError where error.code == .fileReadNoPermission {
      throw ListenerProblem.fileUnreadable.with(detail: "\(file): this user may not read the file")
    } catch {
      throw ListenerProblem.fileUnreadable.with(detail: "\(file): cannot be read: \(error)")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw ListenerProblem.fileUnreadable.with(detail: "\(file): is no text; a PEM file is needed, not DER")
    }
    return text
  }
}

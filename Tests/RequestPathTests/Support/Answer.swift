import Foundation
import NIOCore
import TestSupport

/// An answer as it came over the wire, taken apart without any of the gateway's code.
struct Answer: Sendable, CustomStringConvertible {
  struct Field: Sendable, Equatable {
    let name: String
    let value: String
  }

  var informational: [Int] = []
  let status: Int
  let fields: [Field]
  var body = ""
  var trailers: [Field] = []
  /// Whether the connection had to end for the body to end.
  var endedWithConnection = false

  /// - Parameter head: the status line and the fields, with or without the empty line behind them
  init(head: String) {
    let lines = head.components(separatedBy: "\r\n").filter { !$0.isEmpty }
    let words = (lines.first ?? "").split(separator: " ")
    self.status = words.count > 1 && words[0] == "HTTP/1.1" ? Int(words[1]) ?? 0 : 0
    self.fields = lines.dropFirst().map(Self.field)
  }

  static func field(_ line: String) -> Field {
    let halves = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    return Field(name: String(halves[0]), value: halves.count > 1 ? halves[1].trimmingCharacters(in: .whitespaces) : "")
  }

  /// The values of all fields with this name, in any letter case.
  func values(_ name: String) -> [String] { self.fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value) }

  var auditID: String? { self.values("Audit-Id").count == 1 ? self.values("Audit-Id").first : nil }
  var closes: Bool { self.values("Connection").contains("close") }

  /// The body as a `v1.Status`, if it is one.
  var kubernetesStatus: KubernetesStatus? {
    guard let status = try? JSONDecoder().decode(KubernetesStatus.self, from: Data(self.body.utf8)), status.kind == "Status" else {
      return nil
    }
    return status
  }

  struct KubernetesStatus: Decodable, Sendable {
    let kind, status, message, reason: String
    let code: Int
  }

  var description: String { "\(self.status) \(self.fields.map { "\($0.name): \($0.value)" }) \(self.body.prefix(600))" }
}

extension RawTLSClient {
  /// Reads one final answer with its body.
  func answer(toHead: Bool = false, timeout: TimeAmount = .minutes(1)) async throws -> Answer {
    var informational: [Int] = []
    while true {
      var answer = Answer(head: try await self.read(until: "\r\n\r\n", timeout: timeout))
      if answer.status < 200, answer.status >= 100 {
        informational.append(answer.status)
        continue
      }
      answer.informational = informational
      try await self.readBody(of: &answer, toHead: toHead, timeout)
      return answer
    }
  }

  private func readBody(of answer: inout Answer, toHead: Bool, _ timeout: TimeAmount) async throws {
    if toHead || answer.status == 204 || answer.status == 304 { return }
    if answer.values("Transfer-Encoding") == ["chunked"] {
      while let chunk = try await self.chunk(timeout: timeout) { answer.body += chunk }
      while case let line = try await self.read(until: "\r\n", timeout: timeout), line != "\r\n" {
        answer.trailers.append(Answer.field(String(line.dropLast())))
      }
    } else if let length = answer.values("Content-Length").first.flatMap({ Int($0) }) {
      answer.body = try await self.read(count: length, timeout: timeout)
    } else {
      answer.body = try await self.readToEnd(timeout: timeout)
      answer.endedWithConnection = true
    }
  }

  /// The next chunk of a chunked body; `nil` for the last, behind which the trailers come.
  func chunk(timeout: TimeAmount = .minutes(1)) async throws -> String? {
    let line = try await self.read(until: "\r\n", timeout: timeout)
    guard let size = Int(line.dropLast(), radix: 16) else { throw NotAnAnswer(text: line) }
    if size == 0 { return nil }
    let chunk = try await self.read(count: size + 2, timeout: timeout)
    guard chunk.hasSuffix("\r\n") else { throw NotAnAnswer(text: chunk) }
    return String(chunk.unicodeScalars.dropLast(2))
  }

  struct NotAnAnswer: Error {
    let text: String
  }
}

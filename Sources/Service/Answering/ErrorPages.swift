import Foundation
import NIOCore
import SallyportConfiguration
import SallyportCore
import SallyportStrictYAML
import SallyportTemplates

/// What browsers are shown of answers that are the gateway's own, where the operator has written pages for them.
///
/// A page says no more than the answer would without it: the status, its words, the message, the audit ID.
final class ErrorPages: Sendable {
  private typealias Page = Template<PageTemplateName>

  /// In bytes.
  private static let largest = 64 * 1024

  private let pages: [Int: Page]
  private let rest: Page?
  /// Those of the gateway, behind those of a route.
  private let behind: ErrorPages?

  /// Reads the pages of the gateway, or of a route.
  ///
  /// - Returns: `behind` where there are none
  /// - Throws: every fault of every page, by the page's own lines
  static func read(_ sections: [GatewayConfiguration.ErrorPage], before behind: ErrorPages?) throws(StartFault) -> ErrorPages? {
    guard !sections.isEmpty else { return behind }
    var faults = FaultCollector()
    var pages: [Int: Page] = [:]
    var rest: Page?
    for section in sections {
      guard let page = faults.collect({ () throws(FileFaults) in try self.page(section.file) }) else { continue }
      for status in section.statuses { pages[status] = page }
      if section.statuses.isEmpty { rest = page }
    }
    guard faults.isEmpty else { throw faults.fault }
    return ErrorPages(pages: pages, rest: rest, behind: behind)
  }

  private init(pages: [Int: Page], rest: Page?, behind: ErrorPages?) {
    self.pages = pages
    self.rest = rest
    self.behind = behind
  }

  private static func page(_ file: NamedFile) throws(FileFaults) -> Page {
    func fault(_ what: String, _ remedy: String) -> FileFaults {
      FileFaults([FileFault(at: file.place, "names \(file.path), which \(what)", remedy)])
    }
    guard let content = FileManager.default.contents(atPath: file.path) else {
      throw fault("cannot be read", "check the path and its permissions")
    }
    guard content.count <= self.largest else { throw fault("has more than 64 KiB", "write a smaller page") }
    guard let text = String(validating: content, as: UTF8.self) else { throw fault("is no UTF-8", "save it in UTF-8") }
    do throws(TemplateFault) {
      return try Page(text, .html)
    } catch {
      let words = ValueFault(error, PageTemplateName.self)
      throw FileFaults([
        FileFault(at: FilePlace(file: file.path, line: error.line, column: error.column, keyPath: ""), words.problem, words.remedy)
      ])
    }
  }

  /// The page that answers with a status; `nil` where the operator has written none.
  func body(of problem: Problem, title: String, auditID: String) -> ByteBuffer? {
    guard let page = self.pages[problem.status] ?? self.rest else {
      return self.behind?.body(of: problem, title: title, auditID: auditID)
    }
    let rendered = page.render { name in
      switch name {
      case .status: .text(String(problem.status))
      case .title: .text(title)
      case .message: .text(problem.message)
      case .auditID: .text(auditID)
      }
    }
    guard case .text(let text) = rendered else { return nil }
    return ByteBuffer(string: text)
  }
}

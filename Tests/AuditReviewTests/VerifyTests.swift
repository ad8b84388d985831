import Foundation
import NIOCore
import NIOPosix
import SallyportAudit
import Testing

@testable import SallyportAuditReview

@Suite struct VerifyTests {
  @Test func aLogThatNobodyTouchedIsGood() throws {
    let log = try WrittenLog(records: 100)
    let report = try log.verify()
    #expect(report.findings == [])
    #expect(report.series.map(\.series) == ["requests", "unauthenticated"])
    #expect(report.series[0].records == 102)
    #expect(report.series[0].unsigned == 0)
  }
}

import Foundation
import Testing

@testable import SallyportService

/// The clock of an upstream, as its answers tell it.
@Suite struct CredentialProbeTests {
  @Test func theTimeOfAnAnswerIsRead() {
    #expect(CredentialProbe.time("Sun, 06 Nov 1994 08:49:37 GMT") == Date(timeIntervalSince1970: 784_111_777))
    #expect(CredentialProbe.time("Thu, 01 Jan 1970 00:00:00 GMT") == Date(timeIntervalSince1970: 0))
    #expect(CredentialProbe.time("Thu, 29 Feb 2024 23:59:59 GMT") == Date(timeIntervalSince1970: 1_709_251_199))
    #expect(CredentialProbe.time("Fri, 01 Mar 2024 00:00:00 GMT") == Date(timeIntervalSince1970: 1_709_251_200))
    for text in ["", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 CET"] {
      #expect(CredentialProbe.time(text) == nil)
    }
  }
}

import NIOCore
import NIOSSL
import SallyportCore
import Testing

@testable import SallyportUpstream

@Suite struct ConnectFailureTests {
  private let failure = ConnectFailure(
    server: .init(host: "10.0.0.1", port: 6443), rootsFile: "certs/cluster-ca.pem", serverName: "kubernetes")

  @Test func aTimeoutIsATimeout() {
    let problem = self.failure.problem(ChannelError.connectTimeout(.seconds(5)))
    #expect(problem == .upstreamTimeout)
    #expect(problem.detail.contains("https://10.0.0.1:6443"))
  }

  @Test func aRefusedConnectionIsUnreachable() {
    let problem = self.failure.problem(IOError(errnoCode: 111, reason: "connect"))
    #expect(problem == .upstreamUnreachable)
    #expect(problem.detail.contains("connect"))
  }

  @Test func anEndDuringTheHandshakeIsTLS() {
    let problem = self.failure.problem(NIOSSLError.handshakeFailed(.sslError([.eofDuringHandshake])))
    #expect(problem == .upstreamTLS)
    #expect(problem.detail.contains("hung up"))
  }

  @Test func aProblemStaysWhatItIs() {
    #expect(self.failure.problem(self.failure.wrongName) == .upstreamTLS)
    #expect(self.failure.wrongName.detail.contains("kubernetes"))
  }

  @Test(arguments: [
    Problem.upstreamUnreachable, .upstreamTimeout, .upstreamTLS, .upstreamMalformed, .upstreamBusy, .upstreamConnectionLost,
    .upstreamConfiguration, .upstreamRequestUnfit,
  ])
  func whatTheClientReadsIsASentenceWithoutDetail(problem: Problem) {
    let detailed = problem.with(detail: "10.0.0.1")
    #expect(!detailed.message.contains("10.0.0.1"))
    #expect(detailed.message.hasSuffix("."))
    #expect((500...504).contains(detailed.status))
  }
}

import NIOCore
import SallyportCore
import SallyportWire

/// A request that goes nowhere: its delegate hears why once the call that made it has returned.
final class RefusedExchange: UpstreamStream {
  private var delegate: (any UpstreamStreamDelegate)?

  init(_ delegate: any UpstreamStreamDelegate) {
    self.delegate = delegate
  }

  func fail(_ problem: Problem) {
    let delegate = self.delegate
    self.delegate = nil
    delegate?.upstreamFailed(problem)
  }

  func cancel() {
    self.delegate = nil
  }

  func sendBody(_ bytes: ByteBuffer) {}
  func sendEnd(trailers: HeaderFields) {}
  func setResponseFlow(paused: Bool) {}
}

import NIOConcurrencyHelpers
import NIOCore
import SallyportCore

/// A provider's metadata, fetched when somebody wants to sign in, and anew every few minutes. What was good before is used while the
/// provider is away: endpoints hardly ever move.
final class MetadataSource: Sendable {
  private struct State: Sendable {
    var metadata: ProviderMetadata?
    var fetched = NIODeadline.uptimeNanoseconds(0)
  }

  /// How old it may become before it is fetched again, in the background.
  private static let refresh = TimeAmount.minutes(10)

  private let client: any OpenIDClient
  private let clock: @Sendable () -> NIODeadline
  private let state = NIOLockedValueBox(State())
  private let flights = SingleFlight<Bool, Result<ProviderMetadata, ProviderFault>>()

  init(_ client: any OpenIDClient, clock: @escaping @Sendable () -> NIODeadline) {
    self.client = client
    self.clock = clock
  }

  /// What is known now, without asking.
  var known: ProviderMetadata? { self.state.withLockedValue { $0.metadata } }

  /// Fetches it, where it is not known or old; nobody waits.
  func begin(on eventLoop: any EventLoop) { _ = self.metadata(on: eventLoop) }

  func metadata(on eventLoop: any EventLoop) -> Answer<Result<ProviderMetadata, ProviderFault>> {
    let now = self.clock()
    let (known, isOld) = self.state.withLockedValue { ($0.metadata, now >= $0.fetched + Self.refresh) }
    if let known, !isOld { return .now(.success(known)) }
    let future: EventLoopFuture<Result<ProviderMetadata, ProviderFault>>
    switch self.flights.board(true, on: eventLoop) {
    case .joins(let joined): future = joined
    case .leads(let led):
      future = led
      Task {
        let result: Result<ProviderMetadata, ProviderFault>
        do throws(ProviderFault) {
          result = .success(try await self.client.metadata())
        } catch {
          result = .failure(error)
        }
        if case .success(let metadata) = result {
          let now = self.clock()
          self.state.withLockedValue { ($0.metadata, $0.fetched) = (metadata, now) }
        }
        self.flights.land(true, with: result)
      }
    }
    return known.map { .now(.success($0)) } ?? .later(future)
  }
}

import Logging
import NIOConcurrencyHelpers
import NIOPosix
import SallyportConfiguration
import SallyportCore
import SallyportFiles
import SallyportListener
import SallyportStrictYAML

// Where the operator acts on the running gateway.
extension Gateway {
  /// Opens a control socket beside the one that there may be.
  ///
  /// - Throws: ``StartFault`` where it could be reached by others, or cannot be opened
  func openControl(_ control: GatewayConfiguration.Control) async throws(StartFault) -> UnixListener {
    let path = control.socket.path
    let sessions = SessionControl(
      authenticator: { [state] in state.withLockedValue { $0.generation }.authenticator }, endings: self.continuation.sessionEndings,
      log: self.log)
    do throws(SocketPlaceFault) {
      try SocketPlace.prepare(path)
    } catch {
      throw Self.fault(error, control)
    }
    let listener: UnixListener
    do throws(Problem) {
      // Not on the loops that serve clients: to list ten thousand sessions takes a moment.
      listener = try await UnixListener.start(
        name: "(control)", path: path, receiver: ControlReceiver(sessions: sessions), group: MultiThreadedEventLoopGroup.singleton)
    } catch {
      throw StartFault(error)
    }
    do throws(SocketPlaceFault) {
      try SocketPlace.protect(path)
    } catch {
      await self.closeControl(listener)
      throw Self.fault(error, control)
    }
    self.logger.notice("the control socket is open", metadata: ["socket": "\(path)"])
    return listener
  }

  func closeControl(_ control: UnixListener) async {
    await control.close()
    SocketPlace.remove(control.path)
  }

  private static func fault(_ fault: SocketPlaceFault, _ control: GatewayConfiguration.Control) -> StartFault {
    StartFault(FileFaults([FileFault(at: control.socket.place, "names \(control.socket.path), \(fault.problem)", fault.remedy)]))
  }
}

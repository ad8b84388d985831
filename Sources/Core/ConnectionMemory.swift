public import NIOCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What one client connection remembers from one request to the next, so that a kept connection does not pay for the same
/// answer twice.
///
/// It belongs to the connection's event loop alone, and ends with the connection. Everything in it is a short cut to an answer
/// that a station gave to the same question: each station says when its own still holds.
public final class ConnectionMemory {
  /// Who the last `Authorization` value stood for.
  public var authentication: RememberedAuthentication?
  /// What the last identity was told the upstream by.
  public var credential: RememberedCredential?
  /// What the last identity's route said in fields of its own.
  public var routeFields: RememberedRouteFields?

  public init() {}
}

/// An `Authorization` value that was found good, and whom it stands for.
public struct RememberedAuthentication {
  public let identity: Identity
  /// When the judgement ends. It is never put off: this is the end of the cache entry that it was taken from.
  private let ends: NIODeadline
  /// What the judgement depends on beside the value: another configuration generation has another.
  private let scope: [UInt8]
  private let presented: RememberedBytes

  public init(_ presented: Secret, stoodFor identity: Identity, until ends: NIODeadline, scope: [UInt8]) {
    self.identity = identity
    self.ends = ends
    self.scope = scope
    self.presented = RememberedBytes(presented)
  }

  /// Whether the same was presented, in the same scope, and the judgement still holds. Takes a time that does not depend on
  /// where two values differ.
  public func holds(for presented: Secret, scope: [UInt8], at now: NIODeadline) -> Bool {
    now < self.ends && self.scope == scope && self.presented.equals(presented)
  }
}

/// What an upstream is told about one identity.
public struct RememberedCredential {
  private let identity: Identity
  public let credential: UpstreamCredential
  /// What made it, where kind and connection do not tell; kept, so that nothing else can come to live at its address.
  private let source: AnyObject?

  /// - Parameter source: an object that is another one wherever something else would be told about the same identity
  public init(_ credential: UpstreamCredential, of identity: Identity, by source: AnyObject? = nil) {
    self.credential = credential
    self.identity = identity
    self.source = source
  }

  /// Whether this is what the same source tells about the very same identity object, and may still be used.
  public func holds(for identity: Identity, by source: AnyObject, at now: NIODeadline) -> Bool {
    self.identity === identity && self.source === source && now < self.credential.ends
  }

  /// Whether this is what is told about the very same identity object by this kind of credential on such a connection.
  public func holds(for identity: Identity, kind: String, on connection: UpstreamCredential.ConnectionIdentity) -> Bool {
    self.identity === identity && self.credential.kind == kind && self.credential.connection == connection
  }
}

/// What a route says of one identity.
public struct RememberedRouteFields {
  private let identity: Identity
  public let fields: RouteFields
  private let source: AnyObject

  /// - Parameter source: the rules that it was made by
  public init(_ fields: RouteFields, of identity: Identity, by source: AnyObject) {
    self.fields = fields
    self.identity = identity
    self.source = source
  }

  /// Whether this is what the same rules say of the very same identity object.
  public func holds(for identity: Identity, by source: AnyObject) -> Bool {
    self.identity === identity && self.source === source
  }
}

/// A copy of a secret that is wiped when it is forgotten.
private final class RememberedBytes {
  private let bytes: UnsafeMutableRawBufferPointer

  init(_ secret: Secret) {
    self.bytes = .allocate(byteCount: secret.count, alignment: 1)
    secret.withBytes { self.bytes.copyMemory(from: $0) }
  }

  deinit {
    #if canImport(Darwin)
      self.bytes.initializeMemory(as: UInt8.self, repeating: 0)
    #else
      // Unlike a plain store in front of a deallocation, this is never optimised away.
      if let base = self.bytes.baseAddress { explicit_bzero(base, self.bytes.count) }
    #endif
    self.bytes.deallocate()
  }

  func equals(_ secret: Secret) -> Bool {
    secret.withBytes { other in
      guard other.count == self.bytes.count else { return false }
      var difference: UInt8 = 0
      for index in 0..<other.count { difference |= other[index] ^ self.bytes[index] }
      return difference == 0
    }
  }
}

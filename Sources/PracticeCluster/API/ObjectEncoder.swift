import NIOConcurrencyHelpers
import NIOCore

/// Writes objects and lists in the form that the client negotiated.
struct ObjectEncoder: Sendable {
  let type: ResourceType
  let representation: Representation

  /// An object that stands alone: with its kind, or as a table of one row.
  func single(_ object: StoredObject) -> JSON {
    switch self.representation {
    case .plain: self.typed(object.value)
    case .partialMetadata(let version): self.partial(object, version: version)
    case .table(let included, let version):
      TableColumns.table(
        self.type, rows: [self.row(object, included, version)], metadata: ["resourceVersion": .string(String(object.revision))],
        version: version)
    }
  }

  /// An object's own JSON with the kind and version that the store does not keep.
  func typed(_ value: JSON) -> JSON {
    var json = value
    json.set(.string(self.type.kind), at: "kind")
    json.set(.string(self.type.groupVersion), at: "apiVersion")
    return json
  }

  private func partial(_ object: StoredObject, version: String) -> JSON {
    ["kind": "PartialObjectMetadata", "apiVersion": .string("meta.k8s.io/\(version)"), "metadata": object.metadata]
  }

  private func row(_ object: StoredObject, _ included: Representation.IncludedObject, _ version: String) -> JSON {
    var row: JSON = ["cells": .array(TableColumns.cells(self.type, object))]
    switch included {
    case .none: break
    case .metadata: row.set(self.partial(object, version: version), at: "object")
    case .object: row.set(self.typed(object.value), at: "object")
    }
    return row
  }

  /// The text before a list's items, an item, and the text behind them, so that a list can be written piece by piece.
  func listHead(metadata: JSON) -> [UInt8] {
    switch self.representation {
    case .plain:
      Array(
        "{\"kind\":\"\(self.type.listKind)\",\"apiVersion\":\"\(self.type.groupVersion)\",\"metadata\":\(metadata.text),\"items\":[".utf8)
    case .partialMetadata(let version):
      Array(
        "{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"meta.k8s.io/\(version)\",\"metadata\":\(metadata.text),\"items\":[".utf8)
    case .table(_, let version):
      TableColumns.table(self.type, rows: [], metadata: metadata, version: version).bytes.dropLast(2)
    }
  }

  func listItem(_ object: StoredObject) -> JSON {
    switch self.representation {
    case .plain: object.value
    case .partialMetadata(let version): self.partial(object, version: version)
    case .table(let included, let version): self.row(object, included, version)
    }
  }

  static let listTail = Array("]}".utf8)

  /// A whole list as an answer: at once while it is small, else made while it is sent.
  func list(_ objects: [StoredObject], metadata: JSON) -> APIResponse {
    let stream = ListStream(encoder: self, objects: objects, metadata: metadata)
    guard case .bytes(let first) = stream.next() else { return .json([:]) }
    if case .end = stream.peek() { return APIResponse(status: 200, body: .bytes(first)) }
    return APIResponse(status: 200, body: .stream(PrefixedStream(first, stream)))
  }
}

/// A list that is encoded while the connection takes it: never more than one piece of it is in memory.
final class ListStream: BodyStream {
  private struct State {
    var position = 0
    var isBegun = false
    var isOver = false
  }

  /// In bytes; one object may go beyond it.
  private static let pieceSize = 64 * 1024
  private let encoder: ObjectEncoder
  private let objects: [StoredObject]
  private let metadata: JSON
  private let state = NIOLockedValueBox(State())

  init(encoder: ObjectEncoder, objects: [StoredObject], metadata: JSON) {
    self.encoder = encoder
    self.objects = objects
    self.metadata = metadata
  }

  func start(on eventLoop: any EventLoop, wake: @escaping @Sendable () -> Void) {}
  func stop() {}

  func peek() -> BodyPiece { self.state.withLockedValue { $0.isOver } ? .end : .later }

  func next() -> BodyPiece {
    self.state.withLockedValue { state in
      guard !state.isOver else { return .end }
      var piece: [UInt8] = []
      if !state.isBegun {
        state.isBegun = true
        piece = self.encoder.listHead(metadata: self.metadata)
      }
      while state.position < self.objects.count, piece.count < Self.pieceSize {
        if state.position > 0 { piece.append(UInt8(ascii: ",")) }
        self.encoder.listItem(self.objects[state.position]).write(to: &piece)
        state.position += 1
      }
      if state.position == self.objects.count {
        piece += ObjectEncoder.listTail
        state.isOver = true
      }
      return .bytes(piece)
    }
  }
}

/// A stream whose first piece was already taken.
final class PrefixedStream: BodyStream {
  private let first: NIOLockedValueBox<[UInt8]?>
  private let rest: any BodyStream

  init(_ first: [UInt8], _ rest: any BodyStream) {
    self.first = NIOLockedValueBox(first)
    self.rest = rest
  }

  func start(on eventLoop: any EventLoop, wake: @escaping @Sendable () -> Void) { self.rest.start(on: eventLoop, wake: wake) }
  func stop() { self.rest.stop() }

  func next() -> BodyPiece {
    let first = self.first.withLockedValue { piece in
      defer { piece = nil }
      return piece
    }
    return first.map(BodyPiece.bytes) ?? self.rest.next()
  }
}

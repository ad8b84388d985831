import struct Foundation.Data
import struct Foundation.Date

/// Reads an object in Kubernetes' protobuf encoding into JSON: what typed clients such as `kubectl create` send.
///
/// The envelope is four magic bytes and a `runtime.Unknown` with the kind and the object's own message. See the protobuf
/// encoding guide (developers.google.com/protocol-buffers) and apimachinery pkg/runtime/serializer/protobuf. Go writes
/// empty strings and empty messages where JSON has nothing, so they are left out. The answer is always JSON.
enum ProtobufReader {
  struct Failure: Error, CustomStringConvertible { let description: String }

  static let mediaType = "application/vnd.kubernetes.protobuf"
  private static let magic: [UInt8] = [0x6B, 0x38, 0x73, 0x00]

  static func object(in bytes: [UInt8]) throws(Failure) -> JSON {
    guard bytes.starts(with: self.magic) else { throw Failure(description: "provided data does not appear to be a protobuf message") }
    var kind = ""
    var version = ""
    var message: ArraySlice<UInt8> = []
    for field in try self.fields(in: bytes.dropFirst(self.magic.count)) {
      switch (field.number, field.value) {
      case (1, .bytes(let type)):
        for field in try self.fields(in: type) {
          if case .bytes(let text) = field.value {
            if field.number == 1 { version = String(decoding: text, as: UTF8.self) } else { kind = String(decoding: text, as: UTF8.self) }
          }
        }
      case (2, .bytes(let raw)): message = raw
      default: break
      }
    }
    var object = try self.message(message, named: kind, depth: 0)
    object.set(.string(kind), at: "kind")
    object.set(.string(version), at: "apiVersion")
    return object
  }

  private static func message(_ bytes: ArraySlice<UInt8>, named name: String, depth: Int) throws(Failure) -> JSON {
    guard depth < 32 else { throw Failure(description: "messages are nested too deeply") }
    if bytes.isEmpty { return [:] }
    guard ProtobufFields.isKnown(name), let schema = SchemaTable.schemas[name] else {
      throw Failure(description: "the practice cluster reads no protobuf of \(name)")
    }
    var members: [String: JSON] = [:]
    for wire in try self.fields(in: bytes) {
      guard let numbered = ProtobufFields.field(wire.number, in: name), let field = schema.fields[numbered.name] else {
        throw Failure(description: "the practice cluster knows no field \(wire.number) of \(name)")
      }
      let key = numbered.name
      switch field.type {
      case .list(let element):
        members[key] = .array((members[key]?.array ?? []) + [try self.value(wire.value, element, depth) ?? .string("")])
      case .map(let element):
        guard case .bytes(let entry) = wire.value else { throw Failure(description: "\(name).\(key) is no map") }
        var mapKey = ""
        var mapValue: JSON = .string("")
        for part in try self.fields(in: entry) {
          if part.number == 1, case .bytes(let text) = part.value {
            mapKey = String(decoding: text, as: UTF8.self)
          } else if part.number == 2 {
            mapValue = try self.value(part.value, element, depth) ?? mapValue
          }
        }
        var map = members[key]?.object ?? [:]
        map[mapKey] = mapValue
        members[key] = .object(map)
      default:
        guard let value = try self.value(wire.value, field.type, depth) else { continue }
        if value != 0 && value != false || numbered.keepsZero || field.isRequired { members[key] = value }
      }
    }
    return .object(members)
  }

  /// - Returns: `nil` for an empty text or message
  private static func value(_ value: WireValue, _ type: FieldType, _ depth: Int) throws(Failure) -> JSON? {
    switch (type, value) {
    case (.string, .bytes(let bytes)): return bytes.isEmpty ? nil : .string(String(decoding: bytes, as: UTF8.self))
    case (.bytes, .bytes(let bytes)): return .string(Data(bytes).base64EncodedString())
    case (.bool, .number(let number)): return .bool(number != 0)
    case (.int32, .number(let number)), (.int64, .number(let number)): return .integer(Int64(bitPattern: number))
    case (.object(let name), .bytes(let bytes)):
      let object = try self.message(bytes, named: name, depth: depth + 1)
      return object == [:] ? nil : object
    case (.time, .bytes(let bytes)):
      guard let seconds = try self.number(1, in: bytes) else { return nil }
      return .string(Timestamp.text(Date(timeIntervalSince1970: Double(seconds))))
    case (.quantity, .bytes(let bytes)):
      for field in try self.fields(in: bytes) where field.number == 1 { return try self.value(field.value, .string, depth) }
      return nil
    case (.intOrString, .bytes(let bytes)):
      if try self.number(1, in: bytes) != 1 { return .integer(try self.number(2, in: bytes) ?? 0) }
      for field in try self.fields(in: bytes) where field.number == 3 { return try self.value(field.value, .string, depth) }
      return nil
    default: throw Failure(description: "proto: wrong wire type")
    }
  }

  private static func number(_ wanted: Int, in bytes: ArraySlice<UInt8>) throws(Failure) -> Int64? {
    for field in try self.fields(in: bytes) where field.number == wanted {
      if case .number(let number) = field.value { return Int64(bitPattern: number) }
    }
    return nil
  }

  // MARK: The wire

  private enum WireValue {
    case number(UInt64)
    case bytes(ArraySlice<UInt8>)
  }

  private struct WireField {
    let number: Int
    let value: WireValue
  }

  private static func fields(in bytes: ArraySlice<UInt8>) throws(Failure) -> [WireField] {
    var rest = bytes
    var fields: [WireField] = []
    while !rest.isEmpty {
      let tag = try self.varint(&rest)
      let number = Int(tag >> 3)
      switch tag & 7 {
      case 0: fields.append(WireField(number: number, value: .number(try self.varint(&rest))))
      case 2:
        let length = try self.varint(&rest)
        guard length <= UInt64(rest.count) else { throw Failure(description: "proto: unexpected EOF") }
        fields.append(WireField(number: number, value: .bytes(rest.prefix(Int(length)))))
        rest = rest.dropFirst(Int(length))
      // No message of Kubernetes has fixed-size numbers or groups.
      default: throw Failure(description: "proto: illegal wire type \(tag & 7)")
      }
    }
    return fields
  }

  private static func varint(_ rest: inout ArraySlice<UInt8>) throws(Failure) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 64, by: 7) {
      guard let byte = rest.popFirst() else { throw Failure(description: "proto: unexpected EOF") }
      value |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte & 0x80 == 0 { return value }
    }
    throw Failure(description: "proto: integer overflow")
  }
}

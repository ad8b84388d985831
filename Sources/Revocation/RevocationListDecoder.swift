import COpenSSL
import SallyportCore

import struct Foundation.Date

/// Reads and verifies revocation lists with OpenSSL's libcrypto; the only place that calls it.
///
/// No pointer of OpenSSL's outlives a call: what is read is copied out, so that nothing here is shared between threads.
enum RevocationListDecoder {
  /// More than any authority's list has: a list of a million certificates takes 40 MB.
  static let mostBytes = 256 * 1024 * 1024

  /// Reads all lists of a file, PEM or DER.
  ///
  /// - Throws: ``RevocationProblem/listUnusable`` naming the file, the list and what is wrong
  static func lists(in file: [UInt8], named name: String) throws(Problem) -> [RevocationList] {
    guard file.count <= self.mostBytes else { throw self.fault(name, "is longer than \(self.mostBytes >> 20) MiB") }
    let encoded = file.first == 0x30 ? try self.splitDER(file, named: name) : try self.splitPEM(file, named: name)
    guard !encoded.isEmpty else { throw self.fault(name, "holds no revocation list (PEM block X509 CRL)") }
    var lists: [RevocationList] = []
    for (index, der) in encoded.enumerated() {
      lists.append(try self.list(der, at: encoded.count == 1 ? name : "\(name): list \(index + 1) of \(encoded.count)"))
    }
    return lists
  }

  /// Whether two names, DER, are the same as RFC 5280 section 7.1 compares them: letter case and blanks do not count.
  static func areSameName(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    if left == right { return true }
    guard let left = self.name(left) else { return false }
    defer { X509_NAME_free(left) }
    guard let right = self.name(right) else { return false }
    defer { X509_NAME_free(right) }
    return X509_NAME_cmp(left, right) == 0
  }

  /// Whether a list's signature is of this key.
  static func verify(_ encoded: [UInt8], by authority: AuthorityKey) -> Bool {
    defer { ERR_clear_error() }
    guard let list = self.decode(encoded)?.list else { return false }
    defer { X509_CRL_free(list) }
    let key = authority.publicKey.withUnsafeBufferPointer { bytes in
      var position = bytes.baseAddress
      return d2i_PUBKEY(nil, &position, bytes.count)
    }
    guard let key else { return false }
    defer { EVP_PKEY_free(key) }
    return X509_CRL_verify(list, key) == 1
  }

  /// Reads an authority's certificate; `nil` for what OpenSSL does not read.
  static func authority(_ certificate: [UInt8]) -> AuthorityKey? {
    defer { ERR_clear_error() }
    let decoded = certificate.withUnsafeBufferPointer { bytes in
      var position = bytes.baseAddress
      return d2i_X509(nil, &position, bytes.count)
    }
    guard let decoded else { return nil }
    defer { X509_free(decoded) }
    guard let subject = X509_get_subject_name(decoded), let name = self.encoded({ i2d_X509_NAME(subject, $0) }),
      let key = X509_get_X509_PUBKEY(decoded), let publicKey = self.encoded({ i2d_X509_PUBKEY(key, $0) })
    else { return nil }
    // All bits are set where there is no key usage.
    let mayUse = X509_get_key_usage(decoded)
    return AuthorityKey(
      name: name, nameText: self.text(subject), publicKey: publicKey, signsRevocationLists: mayUse & UInt32(KU_CRL_SIGN) != 0)
  }

  // MARK: Files

  private static func splitPEM(_ file: [UInt8], named name: String) throws(Problem) -> [[UInt8]] {
    defer { ERR_clear_error() }
    var blocks: [(label: String, bytes: [UInt8])] = []
    let isComplete = file.withUnsafeBytes { bytes -> Bool in
      guard let memory = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else { return false }
      defer { BIO_free(memory) }
      while true {
        var label: UnsafeMutablePointer<CChar>?
        var header: UnsafeMutablePointer<CChar>?
        var content: UnsafeMutablePointer<UInt8>?
        var length = 0
        ERR_clear_error()
        guard PEM_read_bio(memory, &label, &header, &content, &length) == 1, let label, let content else {
          return sallyport_is_end_of_pem() == 1
        }
        blocks.append((String(cString: label), Array(UnsafeBufferPointer(start: content, count: length))))
        for pointer in [UnsafeMutableRawPointer(label), header.map { UnsafeMutableRawPointer($0) }, UnsafeMutableRawPointer(content)] {
          CRYPTO_free(pointer, #fileID, #line)
        }
      }
    }
    guard isComplete else { throw self.fault(name, "is no readable PEM behind block \(blocks.count)") }
    for (index, block) in blocks.enumerated() where block.label != "X509 CRL" {
      throw self.fault(name, "PEM block \(index + 1) is \"\(String(block.label.prefix(40)))\", not X509 CRL")
    }
    return blocks.map(\.bytes)
  }

  private static func splitDER(_ file: [UInt8], named name: String) throws(Problem) -> [[UInt8]] {
    defer { ERR_clear_error() }
    var lists: [[UInt8]] = []
    var rest = file[...]
    while !rest.isEmpty {
      guard let (list, length) = self.decode(rest) else { throw self.fault(name, "list \(lists.count + 1) cannot be decoded") }
      X509_CRL_free(list)
      lists.append(Array(rest.prefix(length)))
      rest = rest.dropFirst(length)
    }
    return lists
  }

  /// The first list of some bytes and its length; whoever gets it frees it.
  private static func decode(_ bytes: some Sequence<UInt8>) -> (list: OpaquePointer, length: Int)? {
    let decoded = bytes.withContiguousStorageIfAvailable { bytes -> (OpaquePointer, Int)? in
      guard let start = bytes.baseAddress else { return nil }
      var position: UnsafePointer<UInt8>? = start
      guard let list = d2i_X509_CRL(nil, &position, bytes.count), let end = position else { return nil }
      return (list, end - start)
    }
    return decoded ?? nil
  }

  // MARK: One list

  private static func list(_ encoded: [UInt8], at place: String) throws(Problem) -> RevocationList {
    defer { ERR_clear_error() }
    guard let (list, length) = self.decode(encoded) else { throw self.fault(place, "cannot be decoded") }
    defer { X509_CRL_free(list) }
    guard length == encoded.count else { throw self.fault(place, "has bytes behind its end") }
    try self.checkAlgorithm(of: list, encoded, at: place)
    for index in 0..<X509_CRL_get_ext_count(list) {
      guard let item = X509_CRL_get_ext(list, index) else { continue }
      try self.check(listExtension: item, at: place)
    }
    guard let thisUpdate = X509_CRL_get0_lastUpdate(list).flatMap(self.date) else {
      throw self.fault(place, "has no readable time of issue (thisUpdate)")
    }
    guard let next = X509_CRL_get0_nextUpdate(list) else {
      throw self.fault(place, "does not say when the next one comes (nextUpdate), so it could never be too old; issue lists with it")
    }
    guard let nextUpdate = self.date(next) else { throw self.fault(place, "has no readable nextUpdate") }
    guard thisUpdate < nextUpdate else { throw self.fault(place, "ends (nextUpdate) before it begins (thisUpdate)") }
    guard let issuer = X509_CRL_get_issuer(list), let name = self.encoded({ i2d_X509_NAME(issuer, $0) }) else {
      throw self.fault(place, "has no readable issuer")
    }
    return RevocationList(
      issuer: name, issuerText: self.text(issuer), thisUpdate: thisUpdate, nextUpdate: nextUpdate,
      revoked: try self.serials(of: list, at: place), signer: .unknown(encoded: encoded), place: place)
  }

  /// The algorithms that certificates may be signed with; SHA-1 and MD5 are not among them, and the two places that name
  /// the algorithm must agree, of which only one is signed.
  private static let algorithms: Set<Int32> = [
    NID_sha256WithRSAEncryption, NID_sha384WithRSAEncryption, NID_sha512WithRSAEncryption, NID_ecdsa_with_SHA256,
    NID_ecdsa_with_SHA384, NID_ecdsa_with_SHA512, NID_ED25519,
  ]

  private static func checkAlgorithm(of list: OpaquePointer, _ encoded: [UInt8], at place: String) throws(Problem) {
    let algorithm = X509_CRL_get_signature_nid(list)
    guard self.algorithms.contains(algorithm) else {
      let name = OBJ_nid2sn(algorithm).map { String(cString: $0) } ?? "an unknown algorithm"
      throw self.fault(place, "is signed with \(name); SHA-256, SHA-384 or SHA-512 with RSA or ECDSA, or Ed25519, is needed")
    }
    var outer: UnsafePointer<X509_ALGOR>?
    X509_CRL_get0_signature(list, nil, &outer)
    guard let outer = self.encoded({ i2d_X509_ALGOR(outer, $0) }), self.signedAlgorithm(in: encoded).starts(with: outer) else {
      throw self.fault(place, "names two signature algorithms")
    }
  }

  /// The bytes from the algorithm on that the signed part of a list names; OpenSSL keeps it to itself.
  ///
  /// ```
  /// CertificateList ::= SEQUENCE { SEQUENCE { version INTEGER OPTIONAL, signature AlgorithmIdentifier, … }, … }
  /// ```
  private static func signedAlgorithm(in encoded: [UInt8]) -> ArraySlice<UInt8> {
    // An index, not a slice that is cut shorter: at that, the optimizer of Swift 6.3.1 crashes.
    var start = 0
    for _ in 0..<2 {
      // Tag and length, which may be in the long form: OpenSSL has read them before.
      guard start + 1 < encoded.count else { return [] }
      let length = encoded[start + 1]
      start += length < 0x80 ? 2 : 2 + Int(length & 0x7F)
    }
    if start + 1 < encoded.count, encoded[start] == 0x02, encoded[start + 1] < 0x80 { start += 2 + Int(encoded[start + 1]) }
    return encoded[min(start, encoded.count)...]
  }

  private static func check(listExtension item: OpaquePointer, at place: String) throws(Problem) {
    let object = X509_EXTENSION_get_object(item)
    switch OBJ_obj2nid(object) {
    case NID_delta_crl:
      throw self.fault(place, "is a delta list, which says only what changed; name the complete list")
    case NID_issuing_distribution_point:
      throw self.fault(
        place,
        "has an issuing distribution point: it is an indirect list or speaks for a part of the certificates only; "
          + "name the complete list of the authority itself")
    case NID_crl_number, NID_authority_key_identifier, NID_issuer_alt_name, NID_freshest_crl, NID_info_access: break
    default:
      guard X509_EXTENSION_get_critical(item) == 0 else {
        throw self.fault(place, "has a critical extension that is not understood: \(self.identifier(object))")
      }
    }
  }

  private static func serials(of list: OpaquePointer, at place: String) throws(Problem) -> SerialTable {
    let revoked = X509_CRL_get_REVOKED(list)
    let count = revoked.map { Int(sallyport_revoked_count($0)) } ?? 0
    var serials = SerialTable(expecting: max(0, count))
    for index in 0..<max(0, count) {
      guard let entry = sallyport_revoked_at(revoked, Int32(index)), let serial = X509_REVOKED_get0_serialNumber(entry),
        ASN1_STRING_type(serial) == V_ASN1_INTEGER, let data = ASN1_STRING_get0_data(serial)
      else { throw self.fault(place, "entry \(index + 1) has no serial number, or a negative one") }
      let bytes = UnsafeBufferPointer(start: data, count: Int(ASN1_STRING_length(serial)))
      let magnitude = UnsafeBufferPointer(rebasing: bytes[(bytes.firstIndex { $0 != 0 } ?? bytes.endIndex)...])
      guard magnitude.count <= 64 else { throw self.fault(place, "entry \(index + 1) has a serial number of more than 64 bytes") }
      for position in 0..<X509_REVOKED_get_ext_count(entry) {
        // Among these is `certificateIssuer`, by which an entry speaks for another authority.
        guard let item = X509_REVOKED_get_ext(entry, position), X509_EXTENSION_get_critical(item) == 1 else { continue }
        let name = self.identifier(X509_EXTENSION_get_object(item))
        throw self.fault(place, "entry \(index + 1) has a critical extension, which is not understood: \(name)")
      }
      serials.insert(magnitude)
    }
    return serials
  }

  // MARK: Values

  private static func name(_ encoded: [UInt8]) -> OpaquePointer? {
    encoded.withUnsafeBufferPointer { bytes in
      var position = bytes.baseAddress
      return d2i_X509_NAME(nil, &position, bytes.count)
    }
  }

  private static func date(_ time: UnsafePointer<ASN1_TIME>) -> Date? {
    guard ASN1_TIME_check(time) == 1, let epoch = ASN1_TIME_set(nil, 0) else { return nil }
    defer { ASN1_STRING_free(epoch) }
    var days: Int32 = 0
    var seconds: Int32 = 0
    guard ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else { return nil }
    return Date(timeIntervalSince1970: Double(days) * 86_400 + Double(seconds))
  }

  /// What an `i2d` function writes.
  private static func encoded(_ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> [UInt8]? {
    let length = encode(nil)
    guard length > 0 else { return nil }
    return [UInt8](unsafeUninitializedCapacity: Int(length)) { buffer, count in
      var position = buffer.baseAddress
      count = max(0, Int(encode(&position)))
    }
  }

  /// A name as RFC 4514 writes it; everything but printable ASCII is escaped.
  private static func text(_ name: OpaquePointer) -> String {
    guard let memory = BIO_new(BIO_s_mem()) else { return "?" }
    defer { BIO_free(memory) }
    guard sallyport_print_name(memory, name) >= 0 else { return "?" }
    return self.content(of: memory, atMost: 1024)
  }

  private static func identifier(_ object: OpaquePointer?) -> String {
    var text = [CChar](repeating: 0, count: 128)
    guard let object, OBJ_obj2txt(&text, Int32(text.count), object, 1) > 0 else { return "?" }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func content(of memory: OpaquePointer, atMost limit: Int) -> String {
    let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
      count = max(0, Int(BIO_read(memory, buffer.baseAddress, Int32(limit))))
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func fault(_ place: String, _ reason: String) -> Problem {
    RevocationProblem.listUnusable.with(detail: "\(place): \(reason)")
  }
}

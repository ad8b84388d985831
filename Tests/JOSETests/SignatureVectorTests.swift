import SallyportJOSE
import SallyportJSON
import Testing

/// The examples of RFC 7515 appendix A and RFC 8037 appendix A, and what becomes of them when a bit changes.
@Suite struct SignatureVectorTests {
  struct Vector: Sendable, CustomStringConvertible {
    let description: String
    let key: String
    let algorithm: SignatureAlgorithm
    let token: String
  }

  static let joe = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

  static let vectors = [
    Vector(
      description: "RFC 7515 A.2",
      key: #"""
        {"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}
        """#,
      algorithm: .rs256,
      token: "eyJhbGciOiJSUzI1NiJ9." + joe
        + ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
    ),
    Vector(
      description: "RFC 7515 A.3",
      key:
        #"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
      algorithm: .es256,
      token: "eyJhbGciOiJFUzI1NiJ9." + joe + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"),
    Vector(
      description: "RFC 8037 A.4",
      key: #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#, algorithm: .edDSA,
      token:
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    ),
  ]

  private func key(_ vector: Vector) throws -> VerificationKey { try JSONWebKey(try JSONReader.read(vector.key.utf8)).key }

  @Test(arguments: vectors) func theSignatureOfTheStandardIsGood(_ vector: Vector) throws {
    let parts = vector.token.utf8.split(separator: UInt8(ascii: "."))
    let signature = try #require(Base64URL.decode(parts[2]))
    let input = vector.token.utf8.prefix(parts[0].count + 1 + parts[1].count)
    let key = try self.key(vector)
    #expect(key.verifies(signature, over: input, by: vector.algorithm))
    for algorithm in SignatureAlgorithm.allCases where algorithm != vector.algorithm {
      #expect(!key.verifies(signature, over: input, by: algorithm))
    }
    for index in stride(from: 0, to: signature.count, by: 7) {
      var changed = signature
      changed[index] ^= 1
      #expect(!key.verifies(changed, over: input, by: vector.algorithm))
    }
    #expect(!key.verifies(signature, over: Array(input) + [0x20], by: vector.algorithm))
    #expect(!key.verifies(Array(signature.dropLast()), over: input, by: vector.algorithm))
    #expect(!key.verifies(signature + [0], over: input, by: vector.algorithm))
    #expect(!key.verifies([], over: input, by: vector.algorithm))
  }

  @Test func aTokenOfTheStandardIsRead() throws {
    for vector in Self.vectors.dropLast() {
      let token = try SignedToken(vector.token.utf8)
      #expect(token.algorithm == vector.algorithm)
      #expect(token.claims["iss"] == .string("joe"))
      #expect(token.isSigned(by: try self.key(vector)))
      for other in Self.vectors where other.description != vector.description { #expect(!token.isSigned(by: try self.key(other))) }
    }
  }
}

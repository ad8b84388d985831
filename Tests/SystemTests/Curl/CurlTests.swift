import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// HTTP/1.1 as curl speaks it, with everything that it can do to a server.
  @Suite(.serialized, .demo) struct CurlTests {
    private static let pods = "/api/v1/namespaces/dev/pods"
    private static let configMaps = "/api/v1/namespaces/dev/configmaps"

    private func demo() throws -> DemoProcess { try #require(DemoProcess.current) }

    /// What `--write-out` is asked for at the end of the output.
    private static let facts = "%{http_code} %{http_version} %{num_connects}"

    @Test func certificatesAndPasswordsAreAccepted() async throws {
      let demo = try self.demo()
      for person in [DemoProcess.Person.alice, .bob, .carol] {
        let run = try await demo.curl(as: person, "--fail", demo.url + Self.pods)
        #expect(run.status == 0 && run.output.contains(#""name":"web-0""#), "\(person): \(run.transcript)")
      }
    }

    @Test func whoPresentsNothingIsAskedForACredential() async throws {
      let demo = try self.demo()
      let run = try await demo.curl(as: .nobody, "--include", demo.url + Self.pods)
      #expect(run.output.hasPrefix("HTTP/1.1 401 "))
      #expect(run.output.range(of: "\r\nwww-authenticate: Basic realm=", options: .caseInsensitive) != nil, "\(run.output)")
      #expect(run.output.contains(#""kind":"Status""#) && run.output.contains(#""reason":"Unauthorized""#))
      let wrong = try await demo.curl(as: .nobody, "--include", "--user", "bob:wrong", demo.url + Self.pods)
      #expect(wrong.output.hasPrefix("HTTP/1.1 401 "))
      #expect(wrong.output.range(of: "\r\nwww-authenticate: Basic realm=", options: .caseInsensitive) != nil)
      // Refused requests have their records in the other series, and no name that nobody proved.
      let records = try demo.auditRecords("unauthenticated").suffix(2)
      #expect(records.map { $0.responseStatus?.code } == [401, 401])
    }

    @Test func http2IsSpokenToWhomeverOffersIt() async throws {
      let demo = try self.demo()
      for person in [DemoProcess.Person.alice, .bob] {
        let run = try await demo.curl(
          as: person, "--http2", "--fail", "--write-out", Self.facts, "--output", "/dev/null", demo.url + Self.pods)
        #expect(run.status == 0 && run.output == "200 2 1", "\(run.transcript)")
        #expect(try demo.auditRecords().last?.annotations?["sallyport.dev/protocol"] == "HTTP/2")
      }
    }

    @Test func anOpenPathNeedsNoCredential() async throws {
      let demo = try self.demo()
      let run = try await demo.curl(as: .nobody, "--fail", demo.url + "/readyz")
      #expect(run.status == 0 && run.output == "ok", "\(run.transcript)")
    }

    @Test(arguments: [("1.2", "TLSv1.2"), ("1.3", "TLSv1.3")])
    func bothVersionsOfTLSAreSpoken(version: String, name: String) async throws {
      let demo = try self.demo()
      for person in [DemoProcess.Person.alice, .bob] {
        let run = try await demo.curl(
          as: person, "--fail", "--verbose", "--tlsv\(version)", "--tls-max", version, "--output", "/dev/null", demo.url + Self.pods)
        #expect(run.status == 0 && run.errors.contains("SSL connection using \(name)"), "\(run.transcript)")
        #expect(try demo.auditRecords().last?.annotations?["sallyport.dev/tls"] == name)
      }
    }

    @Test func olderVersionsOfTLSAreNot() async throws {
      let demo = try self.demo()
      let run = try await demo.curl(as: .bob, "--tlsv1.0", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0", demo.url + Self.pods)
      #expect(run.status == 35, "curl's code of a failed handshake: \(run.transcript)")
    }

    @Test func oneConnectionCarriesManyRequests() async throws {
      let demo = try self.demo()
      let url = demo.url + Self.pods
      let run = try await demo.curl(
        as: .alice, "--fail", "--write-out", "\(Self.facts)\n", "--output", "/dev/null", "--output", "/dev/null", "--output", "/dev/null",
        url, url, url)
      #expect(run.output == "200 1.1 1\n200 1.1 0\n200 1.1 0\n", "\(run.transcript)")
    }

    @Test func http10IsAnsweredAndItsConnectionClosed() async throws {
      let demo = try self.demo()
      let url = demo.url + Self.pods
      let run = try await demo.curl(
        as: .alice, "--http1.0", "--fail", "--write-out", "\(Self.facts)\n", "--output", "/dev/null", "--output", "/dev/null", url, url)
      #expect(
        run.status == 0 && run.output.split(separator: "\n").allSatisfy { $0.hasPrefix("200 1.") && $0.hasSuffix(" 1") },
        "\(run.transcript)")
      // A stream has no length: for HTTP/1.0 the connection's end is its end, and chunks would be garbage.
      let log = try await demo.curl(
        as: .alice, "--http1.0", "--fail", demo.url + Self.pods + "/web-0/log?follow=true&tailLines=1", "--max-time", "2")
      #expect(log.status == 28 && log.output.hasPrefix("web-0 served request 9\nweb-0 served request 10\n"), "\(log.transcript)")
    }

    @Test func theAnswerToHeadHasFieldsAndNoBody() async throws {
      let demo = try self.demo()
      // A real API server answers HEAD of a resource with 405, and its body's length stands in the answer all the same.
      let run = try await demo.curl(as: .alice, "--head", demo.url + Self.pods, demo.url + Self.pods)
      #expect(run.status == 0, "\(run.transcript)")
      let answers = run.output.components(separatedBy: "\r\n\r\n")
      #expect(answers.count == 3 && answers.last == "", "\(run.output)")
      for answer in answers.dropLast() {
        #expect(answer.hasPrefix("HTTP/1.1 405 "))
        let length = try #require(try #/(?i)content-length: (\d+)/#.firstMatch(in: answer))
        #expect(try #require(Int(length.1)) > 100)
      }
      // The connection is still in step: what follows on it is read as what it is.
      let connections = try await demo.curl(
        as: .alice, "--head", "--write-out", "%{num_connects}", "--output", "/dev/null", "--output", "/dev/null", demo.url + Self.pods,
        demo.url + Self.pods)
      #expect(connections.output == "10")
    }

    private static func configMap(_ name: String, bytes: Int) -> Data {
      let value = String(repeating: "sallyport ", count: bytes / 10)
      return Data(#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"\#(name)"},"data":{"a":"\#(value)"}}"#.utf8)
    }

    @Test func anUploadInChunksArrivesWhole() async throws {
      let demo = try self.demo()
      let run = try await demo.curl(
        as: .bob, "--fail", "--verbose", "--header", "Content-Type: application/json", "--header", "Transfer-Encoding: chunked",
        "--header", "Expect:", "--data-binary", "@-", demo.url + Self.configMaps, input: Self.configMap("in-chunks", bytes: 700_000))
      #expect(run.status == 0 && run.errors.contains("< HTTP/1.1 201"), "\(run.errors)")
      #expect(try await self.value(of: "in-chunks").count == 700_000)
    }

    @Test func aLargeUploadWaitsForItsContinue() async throws {
      let demo = try self.demo()
      let run = try await demo.curl(
        as: .bob, "--fail", "--verbose", "--header", "Content-Type: application/json", "--header", "Expect: 100-continue",
        "--expect100-timeout", "30", "--data-binary", "@-", demo.url + Self.configMaps, input: Self.configMap("continued", bytes: 900_000))
      #expect(run.status == 0, "\(run.errors)")
      #expect(run.errors.contains("< HTTP/1.1 100 Continue") && run.errors.contains("< HTTP/1.1 201"), "\(run.errors)")
      #expect(try await self.value(of: "continued").count == 900_000)
    }

    @Test func whoIsNobodyIsRefusedBeforeTheUpload() async throws {
      let demo = try self.demo()
      let run = try await demo.curl(
        as: .nobody, "--verbose", "--header", "Content-Type: application/json", "--header", "Expect: 100-continue", "--expect100-timeout",
        "30", "--data-binary", "@-", demo.url + Self.configMaps, input: Self.configMap("never", bytes: 900_000))
      #expect(run.errors.contains("< HTTP/1.1 401"), "\(run.transcript)")
      #expect(!run.errors.contains("100 Continue"))
    }

    private func value(of name: String) async throws -> String {
      struct ConfigMap: Decodable { let data: [String: String] }
      let demo = try self.demo()
      let run = try await demo.curl(as: .bob, "--fail", demo.url + Self.configMaps + "/" + name)
      return try JSONDecoder().decode(ConfigMap.self, from: Data(run.output.utf8)).data["a"] ?? ""
    }

    @Test func whatCouldPassForAnIdentityIsNotPassedOn() async throws {
      let demo = try self.demo()
      let run = try await demo.curl(
        as: .alice, "--header", "X-Remote-User: root", "--header", "X-Remote-Group: system:masters", "--header", "X_Remote_Group: admin",
        "--header", "Content-Type: application/json", "--data",
        #"{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}"#,
        demo.url + "/apis/authentication.k8s.io/v1/selfsubjectreviews")
      #expect(
        run.output.contains(#""username":"alice""#) && !run.output.contains("masters") && !run.output.contains("admin"), "\(run.transcript)"
      )
    }
  }
}

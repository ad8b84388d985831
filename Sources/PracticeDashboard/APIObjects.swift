import Foundation

/// What pages show of the API's objects.
enum APIObjects {
  struct Review: Decodable {
    struct Status: Decodable { let userInfo: User }
    struct User: Decodable {
      let username: String
      let uid: String?
      let groups: [String]?
    }
    let status: Status
  }

  struct List<Item: Decodable>: Decodable { let items: [Item] }

  struct Metadata: Decodable {
    let name: String
    let creationTimestamp: String?
  }

  struct Namespace: Decodable {
    struct Status: Decodable { let phase: String? }
    let metadata: Metadata
    let status: Status?
  }

  struct Pod: Decodable {
    struct Spec: Decodable {
      let nodeName: String?
      let containers: [Container]?
    }
    struct Container: Decodable {
      let name: String
      let image: String?
    }
    struct Status: Decodable {
      let phase: String?
      let podIP: String?
    }
    let metadata: Metadata
    let spec: Spec?
    let status: Status?
  }

  /// Never its values: a page that shows them is one that somebody leaves open.
  struct Secret: Decodable {
    let metadata: Metadata
    let type: String?
  }

  /// `v1.Status`
  struct Failure: Decodable { let message: String? }
}

/// Why a text is no template, and the tag that is to blame. Nothing of the text is repeated but a word that somebody meant as a
/// name.
public struct TemplateFault: Error, Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    /// A tag names what there is not.
    case unknown(word: String)
    /// A tag that is not understood here.
    case malformed(Reason)
  }

  public enum Reason: String, Sendable {
    case unfinished = "is not closed"
    case empty = "is empty"
    case kind = "is of a kind that is not read here"
    case unescaped = "would leave a value unescaped"
    case outsideOfSection = "means nothing outside of a section"
    case notOpen = "closes a section that is not open"
    case sectionOpen = "opens a section that nothing closes"
    case engine = "cannot be compiled"
  }

  public let kind: Kind
  /// Which tag of the text, from 1.
  public let tag: Int
  /// Where it begins, from 1; columns in Unicode scalars.
  public let line: Int
  public let column: Int
}

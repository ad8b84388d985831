/// The audience of the tokens that are for the gateway itself: those that clients hold, and those that an upstream calls the
/// gateway with. No API server may take it for its own.
public enum OwnAudience {
  public static let name = "sallyport"
}

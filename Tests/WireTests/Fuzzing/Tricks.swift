/// Spellings on which HTTP/1.1 readers have disagreed, by the place where they stand.
enum Tricks {
  static let methods = ["get", "GE\u{0}T", "", "G ET", "GET\t", "BREW", "CONNECT", "TRACE", "PROPFIND", "M-SEARCH", "GET\r\n", "PRI"]
  static let targets = [
    "", "*", "/ x", "http://kube/a", "http://other/", "kube:6443", "/\u{0}", "/\u{7F}", "/a\tb", "/é", "/a#b", "/a%", "//a", "/a\rb", "/\\",
    "?a",
    "https:/a", "/{a}", "/\"<>",
  ]
  static let versions = [
    "HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "http/1.1", "HTTP/1.1 ", "HTTP/1.1\t", "HTTP/11", "HTTP/1.10", "", "HTTP/1.", "HTTP/ 1.1", "ICY",
    "HTTP/9.9",
  ]
  static let statuses = [
    "200", "200 ", "99 Low", "2000 OK", "20 OK", " 200 OK", "200\tOK", "+20 OK", "101 Switching Protocols", "200 O\u{0}K", "200 O\rK",
    "600 Far",
    "205 Reset Content", "100 Continue",
  ]
  static let blanks = ["  ", "\t", "", " \t", "\u{B}", "\r", "\n", "\u{A0}"]
  static let hosts = [
    "Host:", "Host: a b", "Host: a\r\nHost: a", "X-No-Host: 1", "Host : a", "Host: a,b", "Host: a@b", "Host: a/b", "Host: [::1",
    "Host: a:99999",
    "HOST: b\r\nhost: c", "Host: a\u{0}",
  ]
  static let lines = [
    " folded: 1", "\tfolded", ": nameless", "no colon", "X-A : 1", "X A: 1", "X-A: a\rb", "X-A: a\nb", "X-A: a\u{0}b", "X-A: \u{7F}",
    "X-A\u{0}: 1",
    "X-A: \u{1}", "Content_Length: 5", "Transfer_Encoding: chunked", "Expect: 100-continue", "Expect: else",
    "Connection: Upgrade\r\nUpgrade: x",
    "Connection: close, keep-alive", "Connection: Content-Length", "X-É: 1", "X(: 1", "Content-Length: 0", "Transfer-Encoding: identity",
    "\u{0}",
    "X-A:\u{B}1", "X-A: 1\r\n ", "Proxy-Connection: keep-alive", "Connection: ,,close,", "Connection: xclose", "Upgrade: h2c", "",
  ]
  static let lengths = [
    "+5", "-1", "5 ", "5 5", "5, 5", "5,", "0x5", "", " ", "18446744073709551616", "9223372036854775808", "99999999999999999999999",
    "5\u{0}", "05",
    "5\t", "5;", "5.0", "1e1", "٥", "5\r\nContent-Length: 5", "5\r\nContent-Length: 6",
  ]
  static let framings = [
    "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, gzip", "Transfer-Encoding: identity", "Transfer-Encoding:",
    "Transfer-Encoding: xchunked", "Transfer-Encoding: chunked;a=b", "Transfer-Encoding : chunked", "Transfer-Encoding: \u{B}chunked",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "Transfer-Encoding:\r\n chunked", "Transfer-Encoding: chunked ",
    "Transfer-Encoding\r\n: chunked", "Transfer-Encoding: chunked", "Content-Length: 3", "Content-Length: 0",
    "X: 1\nTransfer-Encoding: chunked",
    "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: chunked, chunked", "Transfer-Encoding:\tchunked", "transfer-encoding: CHUNKED",
  ]
  /// `N` stands for the proper size.
  static let sizes = [
    "0xN", " N", "N ", "N\t", "+N", "-N", "N;", "N;a=b", "N; a=\"\r\n\"", "N ;a", "000000000000000N", "FFFFFFFFFFFFFFFF",
    "1000000000000000N", "", "gN",
    "N,", "N\n", "N\u{0}", "00N", "N;\n",
  ]
  static let lineEnds = ["\n", "\r", "\r\r\n", "\n\r", "", "\r\n\r\n", " \r\n", "\u{0}\r\n", "\u{85}"]
}

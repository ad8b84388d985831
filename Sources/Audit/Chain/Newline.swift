#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Where the first newline of `count` bytes stands; the library's search looks at 32 of them at a time.
func firstNewline(_ start: UnsafeRawPointer, _ count: Int) -> Int? {
  guard let found = memchr(start, 0x0A, count) else { return nil }
  return UnsafeRawPointer(found) - start
}

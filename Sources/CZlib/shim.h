// zlib's interface; deflateInit2 and inflateInit2 are macros that Swift does not see.
#include <zlib.h>

static inline int sallyport_deflateInit2(z_stream *stream, int level, int windowBits) {
  return deflateInit2(stream, level, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY);
}

static inline int sallyport_inflateInit2(z_stream *stream, int windowBits) {
  return inflateInit2(stream, windowBits);
}

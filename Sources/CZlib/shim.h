// zlib's streams, for SPDY's header blocks and for compressed audit logs.
#include <zlib.h>

// deflateInit and inflateInit are macros, which hand over the header's version and the structure's size.
static inline int sallyport_deflate_init(z_stream *stream, int level) { return deflateInit(stream, level); }
static inline int sallyport_inflate_init(z_stream *stream) { return inflateInit(stream); }

// So are those that also take the size of the window, to which 16 is added for the form of gzip.
static inline int sallyport_deflate_init_window(z_stream *stream, int level, int window_bits) {
  return deflateInit2(stream, level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
}
static inline int sallyport_inflate_init_window(z_stream *stream, int window_bits) { return inflateInit2(stream, window_bits); }

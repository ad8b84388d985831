// zlib's streams, for SPDY's header blocks.
#include <zlib.h>

// deflateInit and inflateInit are macros, which hand over the header's version and the structure's size.
static inline int sallyport_deflate_init(z_stream *stream, int level) { return deflateInit(stream, level); }
static inline int sallyport_inflate_init(z_stream *stream) { return inflateInit(stream); }

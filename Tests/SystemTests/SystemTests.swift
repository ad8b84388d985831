import Testing

/// Real programs against the built `sallyport`. One after the other: each runs several processes, and some are measured.
@Suite(.serialized) enum SystemTests {}

"""One file per family, each with its paper: (input shape, top) -> Graph."""

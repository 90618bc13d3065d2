"""What hati tells whoever listens: the logger `hati`, which is silent by itself."""

import logging

log = logging.getLogger("hati")
log.addHandler(logging.NullHandler())

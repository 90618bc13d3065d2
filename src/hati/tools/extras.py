"""Packages that hati can do without, and how they are had."""


def brings(extra: str) -> str:
    """The command for an extra of hati: from its source, for hati is on no index, where its name is free to anybody."""
    return f'pip install ".[{extra}]" in hati\'s checkout'

"""Text of several lines, as a notebook shows it."""

from html import escape


def preformatted(text: str) -> str:
    """HTML for `_repr_html_`: letters of one width, no line broken, and nothing in it read as HTML."""
    return f'<pre style="white-space: pre; overflow-x: auto">{escape(text)}</pre>'

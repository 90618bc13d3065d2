from hati.tools.preformatted import preformatted


def test_text_is_shown_as_it_is_and_nothing_in_it_is_markup() -> None:
    shown = preformatted("a <b>\n  c & d")
    assert shown.startswith("<pre ")
    assert shown.endswith(">a &lt;b&gt;\n  c &amp; d</pre>")

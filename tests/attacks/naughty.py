"""Texts that have broken other people's programs."""

# ruff: noqa: E501 - a table, as wide as its texts

TEXTS = (
    # nothing, and what looks like it
    "", " ", "\t", "\u00a0", "\u3000", "\u200b", "\ufeff", "\u2800", "\u180e", "\u2060\u2060",
    # unseen, turning, breaking
    "a\0b", "\0", "a\x01b", "\x1b[31mred", "a\x7fb", "\x85", "\x80\x9f", "a\u202egnp.exe",
    "\u2066a\u2069", "\u200f\u200e", "a\u2028b", "a\u2029b", "a\rb", "a\nb", "a\r\nb", "\x0b\x0c",
    "\ufffe\uffff", "\ue000", "\U000e0041\U000e007f", "\U0010ffff", "\ufffd", "a\xadb",
    # scripts, towers, emoji
    "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324" * 4,
    "e\u0301" * 20, "\u0301", "ﷺ", "𝒜𝓃𝓃", "ａｎｎ", "ÅΩİıſßŉǰΐ", "田中さん", "Անի", "محمد علي",
    "נועה", "ประยุทธ์", "पूजा", "👩‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🇩🇪", "👋🏽", "☃\ufe0f", "١٢٣٤٥٦", "１２３４５６", "໑໒໓໔໕໖", "𝟙𝟚𝟛𝟜𝟝𝟞",
    # the words of other machines
    "'", '"', "`", "\\", "%", "&", "<", ">", "--", ";", "' OR '1'='1", "'; DROP TABLE person;--",
    '" OR ""="', "1/0", "NULL", "null", "None", "undefined", "true", "NaN", "-1", "1e309", "0x41",
    "%s%s%s%n", "%(name)s", "%d", "{}", "{0.__class__}", "{{7*7}}", "{% raw %}", "${7*7}", "#{7*7}",
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' autofocus onfocus=alert(1) '",
    "</title><script>", "</textarea><script>alert(1)</script>", "<!--", "]]>", "&#0;", "&lt;", "&amp;amp;",
    "javascript:alert(1)", "data:text/html,x", "//evil.example", "https://evil.example@github.com",
    "a@example.org\r\nBcc: b@example.org", "a@example.org%0d%0aBcc:b@example.org", "a@b@c", "@", "a@",
    "ann@example.org,bob@example.org", "<ann@example.org>", '"a b"@example.org', "a@[127.0.0.1]",
    "a@example", "a@-.org", "a@xn--.org", "a@" + "x." * 100 + "org", "ann@ｅｘａｍｐｌｅ.org", "mıke@example.org",
    "../../etc/passwd", "..\\..\\x", "file:///etc/passwd", "/dev/null", "CON", "|ls", "$(id)", "`id`", "=1+1",
    "a" * 99, "a" * 255, "ä" * 300, "a" * 1_000, "a" * 5_000, "😀" * 600, "a " * 400, "\n" * 400,
)  # fmt: skip

# Bytes that are no UTF-8, as a form or an address may carry them.
BROKEN = (
    "%ED%A0%80", "%ED%B0%80", "%FF%FE", "%C0%80", "%80", "%C3", "%F8%88%80%80%80", "%F4%90%80%80",
    "%", "%zz", "%u0041", "a%00b", "%0d%0aX-Evil:1", "%E2%80%AE",
)  # fmt: skip

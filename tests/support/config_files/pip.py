"""pip.conf as people have it."""

FILES: dict[str, bytes | None] = {
    "absent": None,
    "empty": b"",
    "as pip writes it": b"[global]\nindex-url = https://registry.example.com:5000/simple\n\n",
    "an empty section": b"[global]\n",
    "a section without an end": b"[global]",
    "another section": b"[install]\nuser = no\n",
    "comments": b"# mine\n; too\n\n[global]  # all\n# the index\nindex-url: https://a.example/simple\n",
    "a list over lines": b"[global]\nextra-index-url =\n    https://a.example/simple\n    # why\n    https://b.example/simple\n[list]\nformat=columns",
    "a list that looks alike": b"[global]\nx =\n    [global]\n    keyring-provider = import\n",
    "Windows line ends": b"[global]\r\ntimeout = 60\r\n\r\n[freeze]\r\ntimeout = 10\r\n",
    "tabs": b"[global]\n\ttimeout\t=\t60\n",
    "a section behind others": b"[freeze]\ntimeout = 10\n[global]\nno-cache-dir = false\n",
    "an indented section": b"  [global]\n  timeout = 60\n",
    "only a comment": b"# nothing yet",
    "another case": b"[Global]\nKeyring-Provider = import\n",
    "set already": b"[global]\nkeyring_provider: subprocess\n",
}
REFUSED: dict[str, bytes] = {
    "a byte order mark": b"\xef\xbb\xbf[global]\ntimeout = 60\n",
    "a section twice": b"[global]\na = 1\n[global]\nb = 2\n",
    "an option twice": b"[global]\na = 1\nA = 2\n",
    "no section": b"timeout = 60\n",
    "a line without a value": b"[global]\ntimeout\n",
    "bytes that are not UTF-8": b"[global]\n# caf\xe9\n",
    "foreign": b"[global]\nkeyring-provider = import\n",
    "foreign and off": b"[global]\ntimeout = 60\nKEYRING_PROVIDER: disabled\n# mine\n[list]\nformat = columns\n",
}

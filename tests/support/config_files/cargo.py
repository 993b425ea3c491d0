"""~/.cargo/config.toml as people have it."""

_BOTH = b"""\
[registries.mine]
index = "sparse+https://registry.example.com:5000/index/"

[registries.other]
index = "https://other.example.com/git/index"
"""
FILES: dict[str, bytes | None] = {
    "two registries": _BOTH,
    "Windows line ends": _BOTH.replace(b"\n", b"\r\n"),
    "no last newline": _BOTH.removesuffix(b"\n"),
    "a byte order mark": b"\xef\xbb\xbf" + _BOTH,
    "comments and tabs": b'# mine\n[build]\njobs = 4 # few\n\n\t[registries.mine] # ours\n\tindex = "sparse+https://registry.example.com:5000/i/" # x\n\ttoken = "t"\n# end\n',
    "inline tables": b'[registries]\nmine = { index = "sparse+https://registry.example.com:5000/i/" }\nother = {index="https://other.example.com/x"} # o\n',
    "dotted names": b'registries.mine.index = "sparse+https://registry.example.com:5000/i/"\n\n[net]\nretry = 2\n',
    "one inline table of all": b'registries = { mine = {index="sparse+https://registry.example.com:5000/i/"}, other = { index = "https://other.example.com/" } } # a }\n',
    "dotted names in a table": b'[registries]\nmine.index = "sparse+https://registry.example.com:5000/i/"\n\n[net]\nretry = 2\n',
    "a quoted name": b'[registries."my own"]\nindex = "sparse+https://registry.example.com:5000/i/"\n',
    "two at one origin": b'[registries.a]\nindex = "sparse+https://registry.example.com:5000/a/"\n[registries.b]\nindex = "sparse+https://registry.example.com:5000/b/"\n[registries.c]\nindex = "https://other.example.com/"',
    "a header in a text": b"[env]\nX = '''\n[registries.mine]\n'''\n[registries.mine]\nindex = \"sparse+https://registry.example.com:5000/i/\"\n",
    "a global provider": b'[registry]\nglobal-credential-providers = ["cargo:token"]\n' + _BOTH,
}
REFUSED: dict[str, bytes] = {
    "no registry": b"[build]\njobs = 4\n",
    "not TOML": b"[registries.mine\nindex = 1\n",
    "not UTF-8": b"# \xff\n" + _BOTH,
    "a table twice": _BOTH + b'[registries.mine]\nprotocol = "sparse"\n',
    "foreign": _BOTH.replace(b'/index/"\n', b'/index/"\ncredential-provider = ["cargo:libsecret"] # mine\n'),
    "foreign text": _BOTH.replace(
        b'/index/"\n', b"/index/\"\ncredential-provider = 'cargo:token-from-stdout pass x'\n"
    ),
}

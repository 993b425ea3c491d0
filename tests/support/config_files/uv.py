"""~/.config/uv/uv.toml as people have it."""

_INDEX = b"""\
# packages of ours
[[index]]
name = "public"
url = "https://pypi.example.com/simple"

[[index]]
name = "mine"
url = "https://registry.example.com:5000/simple"  # first
default = true
"""
FILES: dict[str, bytes | None] = {
    "absent": None,
    "empty": b"",
    "two indexes": _INDEX,
    "settings and indexes": b"# top\nnative-tls = true\n\n" + _INDEX,
    "Windows line ends": (b"offline = false\n" + _INDEX).replace(b"\n", b"\r\n"),
    "no last newline": b"[pip]\nstrict = true",
    "keyring already": b'keyring-provider = "subprocess"\n' + _INDEX,
    "a user name": b'[[index]]\nurl = "https://oauth2@registry.example.com:5000/simple"\n',
    "authenticate already": _INDEX + b'authenticate = "always"\n',
    "inline tables": b'index = [{ url = "https://registry.example.com:5000/simple" }]\n',
    "a header in a text": b"cache-dir = '''\n[[index]]\n'''\n" + _INDEX,
    "only a comment": b"# nothing yet",
}
REFUSED: dict[str, bytes] = {
    "not TOML": b"[[index]\n",
    "foreign": b'keyring-provider = "disabled" # never\n' + _INDEX,
}

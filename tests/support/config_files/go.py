"""The file of `go env -w` as people have it."""

FILES: dict[str, bytes | None] = {
    "absent": None,
    "empty": b"",
    "as go writes it": b"GOFLAGS=-mod=mod\nGONOSUMDB=*.example.com\nGOPRIVATE=*.example.com\nGOPROXY=https://proxy.example.com,direct\n",
    "no last line end": b"GOPROXY=direct",
    "a list": b"GOAUTH=netrc\nGOPROXY=direct\n",
    "a list with a command": b"GOAUTH=git /home/me/src; netrc\n",
    "a quoted command": b"GOPROXY=direct\nGOAUTH='/opt/my tools/auth' --a \"b c\" ; netrc",
    "an empty list": b"GOAUTH=\nGOPROXY=direct\n",
    "twice": b"GOAUTH=off\nGOAUTH=netrc\n",
    "a comment": b"# mine\n\nGOPROXY=direct\n",
    "a comment that looks alike": b"#GOAUTH=off\n GOAUTH=off\n",
    "Windows line ends": b"GOPROXY=direct\r\nGOAUTH=netrc\r\n",
    "a byte order mark": b"\xef\xbb\xbfGOPROXY=direct\n",
    "bytes that are not UTF-8": b"GOFLAGS=-ldflags=\xff\n",
}
REFUSED: dict[str, bytes] = {
    "foreign: off": b"GOAUTH=off\n",
    "foreign: off at last": b"GOAUTH=netrc\nGOPROXY=direct\nGOAUTH=off",
    "foreign: off on Windows": b"GOAUTH=off\r\n",
}

"""~/.npmrc as people have it."""

_HOST = b"//registry.example.com:5000/:"

FILES: dict[str, bytes | None] = {
    "absent": None,
    "empty": b"",
    "a token of another host": b"//npm.example.com/:_authToken=${NPM_TOKEN}\n",
    "comments and scopes": b"; mine\n# too\n@acme:registry=https://registry.example.com:5000/\n\nfund = false\n",
    "no last line end": b"save-exact=true",
    "Windows line ends": b"save-exact=true\r\n@acme:registry=https://registry.example.com:5000/\r\n",
    "a section": b"[old]\na=b\n",
    "tabs": b"\tsave-exact\t=\ttrue\t\n",
    "a list": b"omit[]=dev\nomit[]=optional\n",
    "a byte order mark": b"\xef\xbb\xbfsave-exact=true\n",
    "another port": b"//registry.example.com/:_authToken=abc\n//registry.example.com:5001/:tokenHelper=/opt/other\n",
    "a comment that looks alike": b";" + _HOST + b"_authToken=abc\n",
    "bytes that are not UTF-8": b"init-author-name=\xe9mile\n",
}
REFUSED: dict[str, bytes] = {
    "foreign helper": _HOST + b"tokenHelper=/opt/helper\n",
    "foreign helper among others": b"a=b\n" + _HOST + b"tokenHelper = /opt/helper\r\nc=d",
    "foreign helper twice": _HOST + b"tokenHelper=/opt/a\n" + _HOST + b"tokenHelper=/opt/b",
    "foreign token": b"; mine\n" + _HOST + b"_authToken=abc\n",
    "foreign password": _HOST + b"username=me\n" + _HOST + b'_password="YWJj"\n',
}

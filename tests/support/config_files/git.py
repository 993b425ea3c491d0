"""~/.gitconfig as people have it."""

_USER = b"[user]\n\tname = A. U. Thor\n\temail = a@example.com\n"
FILES: dict[str, bytes | None] = {
    "absent": None,
    "empty": b"",
    "as git config writes it": _USER,
    "no last newline": _USER.rstrip(),
    "Windows line ends": _USER.replace(b"\n", b"\r\n"),
    "a byte order mark": b"\xef\xbb\xbf" + _USER,
    "comments and spaces": b"; old style\n# new style\n[core]   # all\n    editor = vim ; mine\n\n\n"
    + _USER
    + b"# end",
    "helpers of all hosts": b"[credential]\n\thelper = cache --timeout=3600\n\thelper = store\n" + _USER,
    "another host": b'[credential "https://elsewhere.example.com"]\n\thelper = store\n',
    "another port": b'[credential "https://registry.example.com"]\n\thelper = store\n',
    "a section without a helper": b'[credential "https://registry.example.com:5000"]\n\tusername = me\n' + _USER,
    "an include that is not there": b"[include]\n\tpath = ~/.gitconfig-work\n" + _USER,
    "a conditional include": b'[includeIf "gitdir:~/job/"]\n\tpath = work.inc\n' + _USER,
    "one line": b"[user] name = x\n",
    "a line that goes on": b'[alias]\n\tl = "log \\\n  --oneline"\n' + _USER,
    "not UTF-8": b"[user]\n\tname = J\xfcrgen\n",
}
REFUSED: dict[str, bytes] = {
    "not git's": b"[user\nname = x\n",
    "goes on at the end": _USER + b"[alias]\n\tx = y\\",
    "foreign": b'[credential "https://registry.example.com:5000"]\n\thelper = manager\n' + _USER,
    "foreign in another case": b'[CREDENTIAL "https://registry.example.com:5000"]\n\tHelper = !pass show x\n',
}

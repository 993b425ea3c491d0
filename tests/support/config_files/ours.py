"""tokenctl's own config file as people write it, with a profile `t` to which install adds a host."""

_T = 'issuer = "https://login.example.com"\nclient_id = "c"\n'

CONFIGS: dict[str, str] = {
    "no hosts": f"[profiles.t]\n{_T}",
    "no last line end": f"[profiles.t]\n{_T}".rstrip(),
    "comments below": f"[profiles.t] # mine\n{_T}# about the next\n\n[profiles.u]\n{_T}# last",
    "no host in the list": f"[profiles.t]\n{_T}hosts = [ ]  # none yet\nscope = 'openid'\n",
    "one line": f"[profiles.t]\nhosts = [ \"https://a.example.com\" , 'https://b.example.com' ] # two\n{_T}",
    "a last comma": f'[profiles.t]\n{_T}hosts = ["https://a.example.com",]\n',
    "several lines": f'[profiles.t]\n{_T}hosts = [\n  # git\n  "https://a.example.com", # one\n\t"https://b.example.com"\n]\n',
    "another spelling": f'[profiles.t]\n{_T}hosts = ["HTTPS://A.example.com:443"]\n',
    "inline": 'profiles = { t = {issuer = "https://login.example.com",client_id = "c"} }\n',
    "dotted": 'profiles.t.issuer = "https://login.example.com"\nprofiles.t.client_id = "c"\n',
    "a table of a host": f'[profiles.t]\n{_T}\n# its shape\n[profiles.t.host."https://registry.example.com:5000"]\nusername = "x"',
    "indented": f"  [profiles.t]\n\t{_T}   # end\n \n",
    "CR LF": f'[profiles.t]\n{_T}hosts = ["https://a.example.com"]\n# end\n'.replace("\n", "\r\n"),
    "byte order mark": f"\ufeff[profiles.t]\n{_T}",
}

"""~/.kube/config as people have it."""


def _config(users: bytes, context: bytes = b"    cluster: one\n    user: me\n") -> bytes:
    """Return a file as kubectl writes it, with one cluster at the origin and one elsewhere."""
    return (
        b"apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: LS0tLQ==\n"
        b"    server: https://registry.example.com:5000\n  name: one\n- cluster:\n    server: https://elsewhere.example\n  name: two\n"
        b"contexts:\n- context:\n"
        + context
        + b"  name: one\n- context:\n    cluster: two\n    user: other\n  name: two\n"
        b"current-context: one\nkind: Config\npreferences: {}\n" + users
    )


_OTHER = b"- name: other\n  user:\n    token: abc\n"
_ME = b"- name: me\n  user:\n    client-certificate-data: LS0tLQ==\n    client-key-data: LS0tLQ==\n"

FILES: dict[str, bytes | None] = {
    "no user yet": _config(b"users: null\n"),
    "an empty list of users": _config(b"users: []\n"),
    "no list of users": _config(b""),
    "no list of users and no last line end": _config(b"")[:-1],
    "a user of another cluster": _config(b"users:\n" + _OTHER),
    "a user without credentials": _config(b"users:\n- name: me\n  user: {}\n" + _OTHER),
    "no last line end": _config(b"users:\n" + _OTHER)[:-1],
    "a context without a user": _config(b"users:\n" + _OTHER, b"    cluster: one\n    namespace: x\n"),
    "a quoted name": _config(b"users:\n" + _OTHER, b"    cluster: one\n    user: 'arn:aws:x'\n"),
    "a name in double quotes": _config(b"users:\n" + _OTHER, b'    cluster: one\n    user: "me" # mine\n'),
    "an empty name": _config(b"users:\n" + _OTHER, b'    cluster: one\n    user: ""\n'),
    "Windows line ends": _config(b"users:\n" + _OTHER).replace(b"\n", b"\r\n"),
    "one context free, one not": _config(b"users:\n" + _ME + _OTHER).replace(
        b"contexts:\n", b"contexts:\n- context:\n    cluster: one\n    user: you\n  name: free\n"
    ),
    "comments and indentation": b"---\n# mine\napiVersion: v1\nkind: Config\nclusters:\n  # the first\n  - name: one\n"
    b"    cluster:\n      server: 'https://registry.example.com:5000/k8s/c-1'  # by Rancher\n\ncontexts:\n"
    b"  - name: one\n    context:\n      user: me   # me\n      cluster: one\nusers:\n  - name: other\n    user: {token: abc}\n"
    b"  # the end\n",
    "users first": b"users:\n# none yet\n- name: x\n  user:\n    exec:\n      command: aws\n      args: [eks, get-token]\n"
    b"      env: null\nclusters:\n- name: one\n  cluster:\n    server: https://REGISTRY.example.com:5000/\n    extensions:\n"
    b"    - extension:\n        a: |\n          b: c\n          - d\n      name: e\ncontexts:\n- name: one\n  context:\n"
    b"    cluster: one\n    user: me\n",
}
FILES["as gcloud writes it"] = _config(
    b"users:\n- name: gke_p_z_c\n  user:\n    exec:\n      apiVersion: client.authentication.k8s.io/v1beta1\n"
    b"      command: gke-gcloud-auth-plugin\n      installHint: Install gke-gcloud-auth-plugin for use with kubectl by following\n"
    b"        https://cloud.google.com/kubernetes-engine/docs/how-to/cluster-access-for-kubectl#install_plugin\n"
    b"      provideClusterInfo: true\n"
)
REFUSED: dict[str, bytes] = {
    "empty": b"",
    "no such cluster": b"apiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\nusers: []\n",
    "no context": _config(b"users:\n" + _OTHER, b"    cluster: two\n    user: me\n"),
    "JSON": b'{"apiVersion": "v1", "clusters": []}\n',
    "flow style": b'clusters: [{name: one, cluster: {server: "https://registry.example.com:5000"}}]\ncontexts: []\n',
    "an anchor": _config(b"users: &all\n" + _OTHER),
    "two documents": _config(b"users:\n" + _OTHER + b"---\n" + _OTHER),
    "tabs": _config(b"users:\n- name: x\n\tuser: {}\n"),
    "a text over two lines": _config(b'users:\n- name: "x\n    y"\n  user: {}\n'),
    "a member twice": _config(b"users: []\nusers: []\n"),
    "a byte order mark": b"\xef\xbb\xbf" + _config(b"users: []\n"),
    "bytes that are not UTF-8": _config(b"users: []\n# caf\xe9\n"),
    "foreign certificate": _config(b"users:\n" + _ME),
    "foreign helper": _config(
        b"users:\n- name: me\n  user:\n    exec:\n      command: aws\n      apiVersion: v1\n" + _OTHER
    ),
    "foreign token, no last line end": _config(b"users:\n" + _OTHER + b"- name: me\n  user: {token: abc}"),
}
FILES["as Rancher writes it"] = (
    b'apiVersion: v1\nkind: Config\nclusters:\n- name: "one"\n  cluster:\n'
    b'    server: "https://registry.example.com:5000/k8s/clusters/c-m-1"\n    certificate-authority-data: "LS0t\\\n      QUJD\\\n      LS0t"\n\n'
    b'users:\n- name: "other"\n  user:\n    token: "kubeconfig-u-1:abc"\n\n\n'
    b'contexts:\n- name: "one"\n  context:\n    user: "one"\n    cluster: "one"\n\ncurrent-context: "one"\n'
)

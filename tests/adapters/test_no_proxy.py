"""NO_PROXY, read as curl, Go and Python read it."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from string import ascii_lowercase, digits

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.provisional import domains

from tokenctl.adapters.no_proxy import covers


@pytest.mark.parametrize(
    ("no_proxy", "host", "covered"),
    [
        ("*", "login.example", True),
        (" , *,", "2001:db8::1", True),
        ("", "login.example", False),
        (" ,, ", "login.example", False),
        ("login.example", "login.example", True),
        ("LOGIN.Example", "login.example", True),
        ("login.example.", "login.example", True),
        ("login.example", "login.example.", True),
        ("login.example", "a.b.login.example", True),
        ("login.example", "notlogin.example", False),
        ("login.example", "example", False),
        (".example", "login.example", True),
        (".example", "example", True),
        ("*.example", "login.example", True),
        ("*.example", "example", False),
        (".", "login.example", False),
        ("login*", "login.example", False),
        ("a,b\tlogin.example", "login.example", True),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3", "10.1.2.30", False),
        ("10.0.0.0/8", "10.255.1.2", True),
        ("10.1.2.3/8", "10.255.1.2", True),
        ("10.0.0.0/8", "11.0.0.1", False),
        ("10.0.0.0/99", "10.0.0.1", False),
        ("10.0.0.0/8", "login.example", False),
        ("3", "10.1.2.3", False),
        (".2.3", "10.1.2.3", False),
        ("2001:db8::1", "2001:db8::1", True),
        ("[2001:db8::1]", "2001:db8::1", True),
        ("2001:DB8:0::1", "2001:db8::1", True),
        ("2001:db8::/32", "2001:db8:1::1", True),
        ("[2001:db8::]/32", "2001:db8:1::1", True),
        ("[2001:db8::/32]", "2001:db8:1::1", True),
        ("2001:db8::/32", "2001:db9::1", False),
        ("fe80::/10", "fe80::1%eth0", True),
        ("10.0.0.0/8", "::ffff:10.1.1.1", True),
        ("::ffff:10.1.1.1", "10.1.1.1", True),
        ("https://login.example/", "login.example", True),
        ("http://login.example", "login.example", False),
        ("all://login.example", "login.example", True),
        ("bücher.example", "www.xn--bcher-kva.example", True),
        ("[2001:db8::1", "2001:db8::1", False),
    ],
)
def test_an_entry_is_a_name_an_address_or_a_block(no_proxy: str, host: str, covered: bool) -> None:
    """A name stands for its subdomains too, and never for an address."""
    assert covers(no_proxy, "https", host, 443) is covered


@pytest.mark.parametrize("host", ["login.example", "10.1.2.3", "2001:db8::1"])
def test_an_entry_with_a_port_is_about_this_port_only(host: str) -> None:
    """An IPv6 address with a port is in brackets."""
    entry = f"[{host}]:8443" if ":" in host else f"{host}:8443"
    assert covers(entry, "https", host, 8443) and not covers(entry, "https", host, 443)


TEXTS = st.text(st.sampled_from("ab.*:/[]%,@ 0123456789é"), max_size=40)
HOSTS = st.one_of(domains(), st.ip_addresses().map(str))
BLOCKS = st.one_of(
    st.builds(lambda at, bits: ip_network((at, bits), strict=False), st.ip_addresses(v=4), st.integers(0, 32)),
    st.builds(lambda at, bits: ip_network((at, bits), strict=False), st.ip_addresses(v=6), st.integers(0, 128)),
)


@given(TEXTS, HOSTS, st.integers(1, 65535))
def test_every_text_can_be_read(text: str, host: str, port: int) -> None:
    """A variable that a person wrote never ends a request with a defect."""
    assert covers(text, "https", host, port) in (True, False)


@given(TEXTS, TEXTS, st.sampled_from([",", " ", ", ", "\n", ",,"]), HOSTS)
def test_each_entry_counts_for_itself(one: str, other: str, between: str, host: str) -> None:
    """The order and the kind of division change nothing."""
    either = covers(one, "https", host, 443) or covers(other, "https", host, 443)
    assert covers(one + between + other, "https", host, 443) is either
    assert covers(other + between + one, "https", host, 443) is either


@given(domains(), st.text(ascii_lowercase + digits, min_size=1, max_size=10))
def test_a_name_stands_for_itself_and_what_is_below_it(name: str, label: str) -> None:
    """The border is a dot: a name that only ends alike is another name."""
    for entry in (name, f".{name}", name.upper(), f"{name}:443"):
        assert covers(entry, "https", name, 443) and covers(entry, "https", f"{label}.{name}", 443)
        assert not covers(entry, "https", label + name, 443)


@given(BLOCKS, st.data())
def test_a_block_stands_for_its_addresses(block: IPv4Network | IPv6Network, data: st.DataObject) -> None:
    """And for no other ones; of both versions."""
    inside = data.draw(st.ip_addresses(network=str(block)))
    outside = data.draw(st.ip_addresses(v=block.version))
    assume(getattr(inside, "ipv4_mapped", None) is None and getattr(outside, "ipv4_mapped", None) is None)
    assert covers(str(block), "https", str(inside), 443)
    assert covers(str(block), "https", str(outside), 443) is (outside in block)


@given(st.ip_addresses(v=6), st.integers(1, 65535))
def test_brackets_around_an_ipv6_address_change_nothing(address: object, port: int) -> None:
    """They only make room for a port."""
    for entry in (f"{address}", f"[{address}]", f"[{address}]:{port}"):
        assert covers(entry, "https", str(address), port)

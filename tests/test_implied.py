"""What a question tells of besides its indicator: in canonical form, or no stored claim would be found."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.implied import implied
from bot.indicators import Indicator, Kind, canonical

DIGEST = "ab" * 32


def told(kind: Kind, value: str) -> set[str]:
    return {each.value for each in implied(canonical(kind, value))}


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Kind.URL, "http://c2.example.org/gate", "c2.example.org/gate"),
        (Kind.URL, "c2.example.org/gate", "http://c2.example.org/gate"),
        (Kind.URL, "http://c2.example.org/gate", "https://c2.example.org/gate"),
        (Kind.URL, "http://c2.example.org/gate", "http://c2.example.org/gate/"),
        (Kind.URL, "http://c2.example.org/gate/", "http://c2.example.org/gate"),
        (Kind.URL, "http://c2.example.org:80/gate", "http://c2.example.org/gate"),
        (Kind.URL, "http://c2.example.org/gate", "http://c2.example.org:80/gate"),
        (Kind.URL, "http://c2.example.org/gate?id=1#top", "http://c2.example.org/gate"),
        (Kind.URL, "http://user:word@c2.example.org/gate", "http://c2.example.org/gate"),
        (Kind.URL, "http://c2.example.org/gate", "http://c2.example.org"),
        (Kind.URL, "http://c2.example.org/gate", "c2.example.org"),
        (Kind.URL, "http://c2.example.org/gate", "example.org"),
        (Kind.URL, "http://192.0.2.7/gate", "192.0.2.7"),
        (Kind.URL, "http://[::ffff:192.0.2.7]/gate", "192.0.2.7"),
        (Kind.URL, f"http://mirror.example/file/{DIGEST}/download", DIGEST),
        (Kind.URL, "https://wrap.example/?url=https%3A%2F%2Fc2.example.org%2Fgate&x=1", "c2.example.org"),
        (
            Kind.URL,
            "https://wrap.example/?url=https%3A%2F%2Fc2.example.org%2Fgate&x=1",
            "c2.example.org/gate",
        ),
        (Kind.URL, "https://wrap.example/web/2026/http://c2.example.org/gate", "c2.example.org"),
        (Kind.DOMAIN, "a.c2.example.org", "c2.example.org"),
        (Kind.IPV4, "192.0.2.7", "192.0.2.0/24"),
        (Kind.IPV4, "192.0.2.7", "::ffff:192.0.2.7"),
        (Kind.IPV6, "::ffff:192.0.2.7", "192.0.2.7"),
        (Kind.IPV6, "::ffff:192.0.2.7", "192.0.2.0/24"),
        (Kind.IPV6, "2001:db8:1::7", "2001:db8:1::/48"),
    ],
)
def test_a_question_tells_of(kind: Kind, value: str, expected: str) -> None:
    assert expected in told(kind, value)


@pytest.mark.parametrize("value", ["d41d8cd98f00b204e9800998ecf8427e"])
def test_a_hash_tells_of_nothing_else_by_itself(value: str) -> None:
    assert implied(Indicator(Kind.MD5, value)) == ()


def test_no_top_level_domain_is_told_of() -> None:
    assert told(Kind.DOMAIN, "c2.example.org") == {"example.org"}


pieces = st.sampled_from(
    ["a", "A%20b", "/", "//", "?", "#", "=", "&", ":80", "@", "example.org", "http://", DIGEST, "%2F", "."]
)


@given(
    st.sampled_from(["http://c2.example.org", "https://[2001:db8::1]:443", "192.0.2.7", "c2.example.org"]),
    st.lists(pieces, max_size=8).map("".join),
)
def test_whatever_is_told_of_is_in_canonical_form(start: str, rest: str) -> None:
    url = canonical(Kind.URL, f"{start}/{rest}")

    for each in implied(url):
        is_real = each.kind is not Kind.URL or "://" in each.value
        assert not is_real or canonical(each.kind, each.value) == each
    assert url not in implied(url)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.URL, "http://e.example/" + "a/?&=http://b.example" * 350),
        (Kind.URL, "http://e.example/" + "http://" * 1000),
        (Kind.URL, "http://e.example/" + "%68%74%74%70%3a%2f%2f" * 350),
        (Kind.DOMAIN, "a." * 120 + "example.org"),
    ],
)
def test_a_long_one_takes_no_long_time(kind: Kind, value: str) -> None:
    start = time.process_time()
    found = implied(canonical(kind, value))

    assert time.process_time() - start < 0.5
    assert len(found) < 2_000

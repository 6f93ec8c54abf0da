"""What people paste is found, what only looks like an indicator is not, and no text is too hostile."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from bot.__main__ import cli
from bot.bench import adversarial
from bot.bench.extract import passes
from bot.errors import BotError, UsageError
from bot.extraction import LIMIT_BYTES, extract, host_of
from bot.indicators import Indicator, Kind, canonical
from bot.refang import refang

MD5 = "d41d8cd98f00b204e9800998ecf8427e"
SHA1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
BITCOIN = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"
CORPUS = Path(__file__).parents[2] / "shared" / "corpus"


def found(text: str) -> list[str]:
    return [f"{one.indicator.kind} {one.indicator.value}" for one in extract(text)]


@pytest.mark.parametrize(
    "text",
    [
        "evil[.]example", "evil(.)example", "evil{.}example", "evil[dot]example", "evil (DOT) example",
        "evil<.>example", "evil[.example", "evil.]example", r"evil\.example", "evil [.] example",
        "evil[ . ]example", "ev\u200bil.example", "ｅｖｉｌ．ｅｘａｍｐｌｅ", "evil。example",
        "\u202eevil.example\u202c", "EVIL.EXAMPLE", "-evil[.]example", "*.evil.example",
        "•evil[.]example", "|evil[.]example|", "(evil.example)", "`evil.example`", "_evil.example_",
        "'evil.example',", "evil.example.", "evil.example:", "evil.example-", "\\\\evil.example\\share",
        "//evil.example", "evil.example:8080", '"evil.example"\\n', "<evil.example>",
        "domain=evil.example;", "\ufeffevil.example", "evil.example(198.5",
    ],
)  # fmt: skip
def test_a_domain_is_found_however_it_was_written(text: str) -> None:
    assert found(text) == ["domain evil.example"]


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("hxxp://evil.example/a", "http://evil.example/a"),
        ("hXXps[:]//evil[.]example/a", "https://evil.example/a"),
        ("hxxps[://]evil[.]example/a", "https://evil.example/a"),
        ("h**p://evil[.]example[/]a", "http://evil.example/a"),
        ("[http]://evil[.]example/a", "http://evil.example/a"),
        ("fxp://evil[.]example/a", "ftp://evil.example/a"),
        ("meow://evil[.]example/a", "http://evil.example/a"),
        ("http:\\/\\/evil.example\\/a", "http://evil.example/a"),
        ("evil[.]example/a.php", "evil.example/a.php"),
        ("192.0.2[.]1:8080/a.sh", "192.0.2.1:8080/a.sh"),
        ("http://evil.example/a.", "http://evil.example/a"),
        ("(see http://evil.example/a_(b))", "http://evil.example/a_(b)"),
        ("[text](http://evil.example/a)**", "http://evil.example/a"),
        ("'http://evil.example/a','x'", "http://evil.example/a"),
        ("`++http://evil[.]example/a++`", "http://evil.example/a"),
        ("http://evil.example/a[the AsciiDoc link]", "http://evil.example/a"),
        ("http://evil.example/a,url,C2 server", "http://evil.example/a"),
        ('{"u":"http://evil.example/a","v":1}', "http://evil.example/a"),
        ("<http://evil.example/a?x=1&amp;y=2|evil.example/a?x=1&amp;y=2>", "http://evil.example/a?x=1&y=2"),
        ("hxxp://<http://evil.example/a|evil.example/a>", "http://evil.example/a"),
        (r"http://evil.example/a\@good.example/", "http://evil.example/a"),
        ("http://[2001:db8::1]:8080/a", "http://[2001:db8::1]:8080/a"),
        ("http://user:pw@evil.example:81/p?q#f", "http://user:pw@evil.example:81/p?q#f"),
        ("http://пример.рф/a", "http://xn--e1afmkfd.xn--p1ai/a"),
    ],
)
def test_a_url_is_found_and_ends_where_it_ends(text: str, url: str) -> None:
    assert found(text) == [f"url {url}"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("j.doe [at] mail [dot] example", ["email j.doe@mail.example"]),
        ("<mailto:bad@mail.example|bad@mail.example>", ["email bad@mail.example"]),
        ("<http://evil.example|evil.example>", ["domain evil.example"]),  # Slack linked what was typed bare
        ("<http://192.0.2.7|192.0.2.7>", ["ipv4 192.0.2.7"]),
        ("array[at] index", []),
        ("192[.]0[.]2[.]1.", ["ipv4 192.0.2.1"]),
        ("192.0.2.1-192.0.2.9", ["ipv4 192.0.2.1", "ipv4 192.0.2.9"]),
        ("root@192.0.2.1", ["ipv4 192.0.2.1"]),
        ("file://evil[.]example@SSL/DavWWWRoot/a.lnk", ["domain evil.example"]),
        ("file://192.0.2.1@80/share", ["ipv4 192.0.2.1"]),
        ("localhost/192.0.2.1:8080 client 192.0.2.9", ["ipv4 192.0.2.1", "ipv4 192.0.2.9"]),
        ("evil[.]example[:]9999 a.]example", ["domain evil.example", "domain a.example"]),
        ("198.51.100.0/24, 2001:db8::/32", ["cidr 198.51.100.0/24", "cidr 2001:db8::/32"]),
        ("evil[.]example/192.0.2[.]1", ["domain evil.example", "ipv4 192.0.2.1"]),
        ("2001[:]db8[:][:]1 fe80::1%eth0.", ["ipv6 2001:db8::1", "ipv6 fe80::1"]),
        ("at 12:30:45 00:1a:2b:3c:4d:5e std::vector::size()", []),
        (f"sample_{MD5}.bin", [f"md5 {MD5}"]),
        (f"{MD5.upper()}/{SHA1}", [f"md5 {MD5}", f"sha1 {SHA1}"]),
        (f"JA3: {MD5} imphash {MD5}", []),
        ("a" * 33 + " " + "0" * 64, []),
        (f"http://a.example/file/{SHA1}/x", [f"url http://a.example/file/{SHA1}/x", f"sha1 {SHA1}"]),
        ("CVE‑2024‑3400 and cve_2024_3401", ["cve CVE-2024-3400", "cve CVE-2024-3401"]),
        (f"{BITCOIN} {BITCOIN[:-1]}X", [f"btc {BITCOIN}"]),
        ("https://evil.example/", ["url https://evil.example", "domain evil.example"]),
        ("b.example a.example b[.]example", ["domain b.example", "domain a.example"]),
        ("<@U012AB3CD> <#C024BE7LR|general> <tel:+18005551234|1-800-555-1234>", []),
    ],
)  # fmt: skip
def test_every_kind_is_found_in_order_and_once(text: str, expected: list[str]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "open invoice.zip", "run evil.py now", "libfoo.so.1", r"C:\Users\bob\evil.com.exe",
        r"C:\evil.com", "/tmp/a.com", "System.IO.File", "ASP.NET", "end of line.Next sentence",
        "e.g. this, i.e. that", "Terminal.app", "e.target(x)", "document.location.host",
        "com.example.android.app", "socket.io package", "Chrome/91.0.4472.124 Safari/537.36",
        "ver. 5.4.3.2", "firmware 1.10.4.2", "FortiOS 7.0.12.1.5", "versions prior to 9.1.2.3",
        "Product/1.2.3.4", "999.1.1.1", "http://localhost/a", "http:// and ://", "@someone", "a@b",
        "CVE-2024-1", "[.] (dot) {at}",
    ],
)  # fmt: skip
def test_what_only_looks_like_an_indicator_is_left(text: str) -> None:
    assert found(text) == []


def test_a_list_of_domains_may_hold_one_that_looks_like_a_file() -> None:
    assert found("evil.example\nintech.so\nbad.example") == [
        "domain evil.example",
        "domain intech.so",
        "domain bad.example",
    ]


def test_positions_are_those_of_the_text_as_it_was_given() -> None:
    text = f"\u200bsee ｅvil[.]example, <http://a.example/x|x> &amp; {MD5}"

    assert [(one.indicator.value, text[one.start :][:6]) for one in extract(text)] == [
        ("evil.example", "ｅvil[."),
        ("http://a.example/x", "http:/"),
        (MD5, MD5[:6]),
    ]


def test_a_text_over_the_limit_is_refused() -> None:
    with pytest.raises(UsageError, match="over 1 MB"):
        extract("é" * (LIMIT_BYTES // 2 + 1))


LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
DOMAINS = st.builds(
    "{}.{}".format, LABEL, st.sampled_from(["example", "com", "co.uk", "sh", "xn--p1ai", "onion"])
)
ADDRESSES = st.ip_addresses(v=4).map(str)
PATHS = st.from_regex(r"(/[A-Za-z0-9_~.-]{0,6}[A-Za-z0-9])?(\?[a-z]=[A-Za-z0-9.]{0,5}[a-z])?", fullmatch=True)
VALUES = st.one_of(
    st.tuples(st.sampled_from(["md5", "sha256"]), st.binary(min_size=32, max_size=32).map(bytes.hex)),
    st.tuples(st.just("ipv4"), ADDRESSES),
    st.tuples(
        st.just("ipv6"), st.ip_addresses(v=6).map(str).filter(lambda value: any(map(str.isdigit, value)))
    ),
    st.tuples(st.just("cidr"), st.builds("{}/32".format, ADDRESSES)),
    st.tuples(st.just("domain"), DOMAINS),
    st.tuples(st.just("email"), st.builds("{}@{}".format, LABEL, DOMAINS)),
    st.tuples(
        st.just("url"),
        st.builds(
            "{}://{}{}".format, st.sampled_from(["http", "https", "ftp", "tcp"]), DOMAINS | ADDRESSES, PATHS
        ),
    ),
    st.tuples(
        st.just("cve"), st.builds("CVE-{}-{}".format, st.integers(1999, 2099), st.integers(1000, 99999))
    ),
)


@given(VALUES)
def test_what_was_defanged_is_read_back(pair: tuple[str, str]) -> None:
    kind, written = pair
    indicator = canonical(Kind(kind), written[:32] if kind == "md5" else written)
    is_filler = len(set(indicator.value)) == 1

    read = [one.indicator for one in extract(f"Seen: {indicator.defanged} today")]

    assert is_filler or read[0] == indicator
    assert refang(indicator.defanged) == indicator.value


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    for one in extract(text):
        assert 0 <= one.start < len(text)
        assert canonical(one.indicator.kind, one.indicator.value) == one.indicator


HOSTILE = st.sampled_from([token for _, _, token in adversarial.forms()])


@given(st.lists(HOSTILE, max_size=12).map("".join))
def test_whatever_is_found_is_canonical_and_in_place(text: str) -> None:
    for one in extract(text):
        assert 0 <= one.start < len(text)
        assert canonical(one.indicator.kind, one.indicator.value) == one.indicator


def test_hostile_texts_end() -> None:
    """The limit is the test's own timeout: what is not linear would take hours."""
    forms = adversarial.forms()

    for _, beginning, token in forms:
        extract(adversarial.text(beginning, token, adversarial.SHORT // 2))

    assert len(forms) >= 70


def test_the_command_prints_what_the_text_holds(tmp_path: Path) -> None:
    report = tmp_path / "report.txt"
    report.write_text("C2: hxxp://evil[.]example/a", encoding="utf-8")

    table = CliRunner().invoke(cli, ["extract", str(report)])
    plain = CliRunner().invoke(cli, ["extract", "--json", "-"], input="C2: hxxp://evil[.]example/a")

    assert "hxxp://evil[.]example/a" in table.output
    assert json.loads(plain.output) == [
        {"kind": "url", "value": "http://evil.example/a", "defanged": "hxxp://evil[.]example/a", "start": 4}
    ]
    assert "No indicators" in CliRunner().invoke(cli, ["extract"], input="nothing here").output


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"\x7fELF\0\0", "binary"), (b"a" * (LIMIT_BYTES + 1), "over 1 MB"), (None, "cannot be read")],
)
def test_the_command_says_why_it_cannot_read(tmp_path: Path, content: bytes | None, reason: str) -> None:
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)

    result = CliRunner().invoke(cli, ["extract", str(file)])

    assert isinstance(result.exception, BotError)
    assert reason in str(result.exception)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("\ufeffevil.example".encode("utf-16"), "evil.example"),
        ("caf\u00e9 evil.example".encode("latin-1"), "evil.example"),
    ],
)
def test_the_command_reads_old_encodings(tmp_path: Path, raw: bytes, value: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(raw)

    assert json.loads(CliRunner().invoke(cli, ["extract", "--json", str(file)]).output)[0]["value"] == value


@pytest.mark.skipif(not CORPUS.exists(), reason="needs ../shared/corpus")
def test_the_hard_cases_hold() -> None:
    cases = json.loads((CORPUS / "hard_cases.json").read_text(encoding="utf-8"))

    failed = [case["id"] for case in cases if not passes(case)]

    assert len(failed) <= 0.03 * len(cases), failed


@pytest.mark.parametrize("value", ["http://[", "http://[::1", "http://", "", "[", "http://u@["])
def test_what_is_no_url_has_no_host(value: str) -> None:
    assert host_of(Indicator(Kind.URL, value)) is None

"""Values that everybody meets: empty files, private networks, public resolvers. Labels, never filters. Pure.

Hashes, resolvers and names are a small subset of the MISP warning lists (CC0 1.0,
https://github.com/MISP/misp-warninglists), which name the lists: "List of known hashes for empty files" 3,
"List of hashes for EICAR test virus" 2, "List of known hashes with common false-positives (based on Florian
Roth input list)" 2, "List of known IPv4 public DNS resolvers" and "... IPv6 ..." 20240615, "Captive Portal
Detection Hostnames" 20230130, "List of known domains to know external IP" 8, "List of known URL Shorteners
domains" 25, "Top 10K most-used sites from Tranco" 20250115. The networks are those of the IANA registries
https://www.iana.org/assignments/iana-ipv4-special-registry/ and iana-ipv6-special-registry.
"""

import ipaddress

from bot.extraction import host_of
from bot.indicators import Indicator, Kind

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def labels(indicator: Indicator) -> tuple[str, ...]:
    """Short words for what everybody meets, such as "private network"; none for nearly all values.

    A URL has those of its host. They say nothing about good or bad: a popular site may host malware.
    """
    label = _label(indicator)
    return () if label is None else (label,)


def _label(indicator: Indicator) -> str | None:
    kind, value = indicator.kind, indicator.value
    if kind in (Kind.IPV4, Kind.IPV6):
        return _RESOLVERS.get(value) or _address_label(value)
    if kind is Kind.CIDR:
        return _address_label(value)
    if kind is Kind.DOMAIN:
        return _name_label(value)
    if kind is Kind.URL:
        host = host_of(indicator)
        return None if host is None else _label(host)
    return _FILES.get(value)


def _address_label(value: str) -> str | None:
    try:
        return _network_label(ipaddress.ip_network(value))
    except ValueError:  # not canonical, so nothing that anybody meets
        return None


def _network_label(network: _Network) -> str | None:
    """What the network lies in as a whole; an IPv4 address in IPv6 form counts as what it maps."""
    address = network.network_address
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped and network.prefixlen >= 96:
        network = ipaddress.ip_network((address.ipv4_mapped, network.prefixlen - 96))
    version, first, last = _span(network)
    return next(
        (label for (v, low, high), label in _NETWORKS if v == version and low <= first and last <= high), None
    )


def _span(network: _Network) -> tuple[int, int, int]:
    """IP version, first and last address as numbers, which compare much faster than networks."""
    return network.version, int(network.network_address), int(network.broadcast_address)


def _name_label(name: str) -> str | None:
    if name.rpartition(".")[2] in _RESERVED_ENDINGS or ".".join(name.split(".")[-2:]) in _RESERVED_NAMES:
        return "reserved for documentation"
    return _NAMES.get(name) or _NAMES.get(name.removeprefix("www."))


def _each(label: str, words: str) -> dict[str, str]:
    return dict.fromkeys(words.split(), label)


_FILES = {
    **_each(
        "empty file",
        """
        d41d8cd98f00b204e9800998ecf8427e
        da39a3ee5e6b4b0d3255bfef95601890afd80709
        d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f
        e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
        38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b
        cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e
        """,
    ),
    **_each(
        "file of one line break",
        """
        68b329da9893e34099c7d8ad5cb9c940
        adc83b19e793491b1c6ea0fd8b46cd9f32e592fc
        01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b
        81051bcc2cf1bedf378224b0a93e2877
        ba8ab5a0280b953aa97435ff8946cbcbb2755a27
        7eb70257593da06f682a3ddda54a9d260d4fc514f645237f5ca74b08f8da61a6
        """,
    ),
    **_each(
        "file of zeros",  # 1, 1024 and 4096 of them
        """
        93b885adfe0da089cdf634904fd59f71
        5ba93c9db0cff93f52b521d7420e43f6eda2784f
        6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d
        0f343b0931126a20f133d67c2b018a3b
        60cacbf3d72e1e7834203da608037b1bf83b40e8
        5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef
        620f0b67a91f7f74151bc5be745b7110
        1ceaf73df40e531df3bfb26b4fb7cd95fb7bff1d
        ad7facb2586fc6e966c004d7d1d16b024f5805ff7cb47c7a85dabd8b48892ca7
        """,
    ),
    **_each(
        "EICAR test file",  # alone, and zipped once and twice, as eicar.org publishes it
        """
        44d88612fea8a8f36de82e1278abb02f
        3395856ce81f2b7382dee72602f798b642f14140
        b42ec8b47deb2dc75edebd01132d63f8e8d4cd08e5d26d8bd366bdc5
        275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f
        038f2e50e33dacef50d7e503b45c3525fcdbe89a823f9c4417d7c13e8e96a53dd6bd6d7fcc91189c5cda7253f4455106
        cc805d5fab1fd71a4ab352a9c533e65fb2d5b885518f4e565e68847223b8e6b85cb48f3afad842726d99239c9e36505c64b0dc9a061d9e507d833277ada336ab
        e4968ef99266df7c9a1f0637d2389dab
        6ce6f415d8475545be5ba114f208b0ff
        d27265074c9eac2e2122ed69294dbc4d7cce9141
        bec1b52d350d721c7e22a6d4bb0a92909893a3ae
        b31bb2cf25d7e654c694ffb85b426d164a210ead66affc3b004702be
        765dceb9a8c8ff4318e3ccaf7dbb9b05c0a53a819d24a50714aebe6c
        2546dcffc5ad854d4ddc64fbf056871cd5a00f2471cb7a5bfd4ac23b6e9eedad
        e1105070ba828007508566e28a2b8d4c65d192e9eaf3b7868382b7cae747b397
        73d6b0ca9c5554fd2b37ff8af6b51812f3af49962cebd6e042d0883a45794ddb8a53724275d26f3e18cebf1cd1d67740acc920aba16965038c0cc75b87030fbe
        d9305862fe0bf552718d19db43075d88cffd768974627db60fa1a90a8d45563e035a6449663b8f66aac53791d77f37dbb5035159aa08e69fc473972022f80010
        """,
    ),
}

_NETWORKS = tuple(
    (_span(ipaddress.ip_network(network)), label)
    for network, label in {
        **_each("unspecified address", "0.0.0.0/32 ::/128"),
        **_each("this network", "0.0.0.0/8"),
        **_each("loopback", "127.0.0.0/8 ::1/128"),
        **_each("private network", "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7"),
        **_each("shared by providers (carrier-grade NAT)", "100.64.0.0/10"),
        **_each("link-local", "169.254.0.0/16 fe80::/10"),
        **_each(
            "reserved for documentation",
            "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20",
        ),
        **_each("network for benchmarks", "198.18.0.0/15 2001:2::/48"),
        **_each("multicast", "224.0.0.0/4 ff00::/8"),
        **_each("broadcast", "255.255.255.255/32"),
        **_each("reserved network", "192.0.0.0/24 240.0.0.0/4 100::/64"),
    }.items()
)

_RESOLVERS = {
    **_each("public DNS resolver (AdGuard)", "94.140.14.14 94.140.15.15 2a10:50c0::ad1:ff 2a10:50c0::ad2:ff"),
    **_each("public DNS resolver (Cisco OpenDNS)", "208.67.222.222 208.67.220.220 2620:119:35::35"),
    **_each("public DNS resolver (CleanBrowsing)", "185.228.168.9"),
    **_each("public DNS resolver (Cloudflare)", "1.1.1.1 1.0.0.1 1.1.1.2 1.1.1.3 2606:4700:4700::1111"),
    **_each("public DNS resolver (Comodo)", "8.26.56.26 8.20.247.20"),
    **_each("public DNS resolver (Control D)", "76.76.2.0"),
    **_each("public DNS resolver (dns0.eu)", "193.110.81.0 185.253.5.0"),
    **_each("public DNS resolver (Google)", "8.8.8.8 8.8.4.4 2001:4860:4860::8888 2001:4860:4860::8844"),
    **_each("public DNS resolver (Level 3)", "4.2.2.1 4.2.2.2"),
    **_each("public DNS resolver (Neustar)", "156.154.70.1"),
    **_each("public DNS resolver (Quad9)", "9.9.9.9 149.112.112.112 9.9.9.10 2620:fe::fe 2620:fe::9"),
    **_each("public DNS resolver (Verisign)", "64.6.64.6 64.6.65.6"),
    **_each("public DNS resolver (Yandex)", "77.88.8.8 77.88.8.1"),
    **_each("public DNS resolver (114DNS)", "114.114.114.114"),
    **_each("public DNS resolver (AliDNS)", "223.6.6.6"),
    **_each("public DNS resolver (HiNet)", "168.95.1.1"),
}

_RESERVED_ENDINGS = frozenset({"example", "test", "invalid"})  # RFC 6761
_RESERVED_NAMES = frozenset({"example.com", "example.net", "example.org"})

_NAMES = {
    **_each(
        "very popular site",
        """
        adobe.com akamai.net amazon.com amazonaws.com apple.com baidu.com bing.com cisco.com cloudflare.com
        debian.org digicert.com discord.com dropbox.com facebook.com fastly.net github.com
        githubusercontent.com google.com googleapis.com gstatic.com ibm.com icloud.com instagram.com
        kernel.org letsencrypt.org linkedin.com live.com microsoft.com mozilla.org netflix.com ntp.org
        office.com office365.com oracle.com outlook.com pastebin.com python.org qq.com reddit.com skype.com
        slack.com sourceforge.net telegram.org twitter.com ubuntu.com verisign.com virustotal.com
        whatsapp.com wikipedia.org windowsupdate.com wordpress.org x.com yahoo.com yandex.ru youtube.com
        zoom.us
        """,
    ),
    **_each(
        "connectivity check of devices",
        """
        captive.apple.com clients3.google.com connectivitycheck.android.com connectivitycheck.gstatic.com
        detectportal.firefox.com msftncsi.com www.msftconnecttest.com
        """,
    ),
    **_each(
        "tells callers their own address",
        """
        api.ipify.org api.myip.com checkip.amazonaws.com checkip.dyndns.org geoiptool.com icanhazip.com
        ident.me ifconfig.me ip-api.com ipapi.co ipecho.net ipinfo.io myexternalip.com whatismyipaddress.com
        wtfismyip.com
        """,
    ),
    **_each(
        "URL shortener",
        """
        bit.ly buff.ly cutt.ly goo.gl is.gd lnkd.in ow.ly rb.gy rebrand.ly s.id shorturl.at t.co t.ly tiny.cc
        tinyurl.com v.gd
        """,
    ),
}

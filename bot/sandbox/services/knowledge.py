"""What the fake services know at the start: invented answers about the demo's cast of files.

No answer was captured from a service; only the names of their fields are theirs.
"""

from bot.sandbox.services.asked import Json

MALICIOUS = "7fe955e3bfa79f81f110747d912cdd45c019ff1510ba1d53050c134797c202b9"  # several condemn it
MALICIOUS_MD5 = "5d41e0a7c2b96f83d017a4be9c3f6281"
DISPUTED = "4fd93c0a5a9b7f1e6c2d8b4713ce05a6f7e91d20b8a64c35d7f0e2916b8ac543"  # vouched for and condemned
DISPUTED_SHA1 = "9b1c6e2f7a0d4853be1f60c7d29a8e5431fc07b6"
KNOWN_GOOD = "c81f4a6d2e907b35f1a8c6d40e7b92536fd0a1c8e4b7953d2a6f08c1b7e5d943"
UNHEARD_OF = "0d6f1e8a3c5b79f2046d8e1ba7c3950f6b2e4d8170c9a5f3e1b7d6028c4a9f35"
LISTED_DOMAIN = "login.harborwatch.example"
LISTED_IP = "203.0.113.66"
LISTED_URL = "http://files.harborwatch.example/invoice.js"

_NOVEMBER = 1_793_923_200  # 2026-11-06 00:00 UTC


def _stats(malicious: int, undetected: int) -> Json:
    quiet = {"suspicious": 0, "harmless": 0, "timeout": 0, "confirmed-timeout": 0, "failure": 1}
    return {"malicious": malicious, "undetected": undetected, "type-unsupported": 5, **quiet}


def _file(sha256: str, malicious: int, undetected: int, **more: object) -> Json:
    return {
        "sha256": sha256,
        "last_analysis_stats": _stats(malicious, undetected),
        "first_submission_date": _NOVEMBER - 2_592_000,
        "last_analysis_date": _NOVEMBER,
        "times_submitted": 3,
        "reputation": 0,
        **more,
    }


def _family(label: str, name: str) -> Json:
    return {"suggested_threat_label": label, "popular_threat_name": [{"value": name, "count": 20}]}


VIRUSTOTAL: dict[str, Json] = {
    MALICIOUS: _file(
        MALICIOUS,
        44,
        18,
        md5=MALICIOUS_MD5,
        meaningful_name="invoice_0307.js",
        type_description="JavaScript",
        size=1_204_331,
        tags=["javascript", "obfuscated"],
        popular_threat_classification=_family("trojan.latrodectus/js", "latrodectus"),
    ),
    DISPUTED: _file(
        DISPUTED,
        17,
        47,
        sha1=DISPUTED_SHA1,
        meaningful_name="setup.exe",
        type_description="Win32 EXE",
        size=88_064,
        popular_threat_classification=_family("trojan.quietfox", "quietfox"),
    ),
    KNOWN_GOOD: _file(KNOWN_GOOD, 0, 66, meaningful_name="libexample.so.1", type_description="ELF"),
    LISTED_DOMAIN: {"last_analysis_stats": _stats(4, 60), "registrar": "Example Registrar", "reputation": -3},
    LISTED_IP: {
        "last_analysis_stats": _stats(3, 60),
        "as_owner": "Example Networks",
        "asn": 64496,
        "country": "ZZ",
    },
    LISTED_URL: {"last_analysis_stats": _stats(6, 58), "last_final_url": LISTED_URL, "threat_names": []},
}


def _detection(name: str) -> Json:
    return {
        "LastDetectDate": "2026-11-19T21:05Z",
        "DescriptionUrl": f"https://threats.kaspersky.example/{name}/",
        "Zone": "Red",
        "DetectionName": name,
        "DetectionMethod": "Signature",
    }


OPENTIP: dict[str, Json] = {
    MALICIOUS: {
        "Zone": "Red",
        "FileGeneralInfo": {
            "FileStatus": "Malware",
            "Md5": MALICIOUS_MD5.upper(),
            "Sha256": MALICIOUS.upper(),
            "FirstSeen": "2026-10-07T09:30Z",
            "LastSeen": "2026-11-19T21:05Z",
            "Signer": None,
            "Packer": None,
            "Size": 1_204_331,
            "Type": "JS",
            "HitsCount": 1000,
        },
        "DetectionsInfo": [_detection("Trojan.Latrodectus.Example")],
        "DynamicAnalisysResults": {"Detections": [{"Zone": "Red", "Count": 1}]},  # their spelling
    },
    KNOWN_GOOD: {
        "Zone": "Green",
        "FileGeneralInfo": {
            "FileStatus": "Clean",
            "Sha256": KNOWN_GOOD.upper(),
            "FirstSeen": "2024-02-01T00:00Z",
            "LastSeen": "2026-11-20T00:00Z",
            "Signer": "Example Software",
            "Size": 40_960,
            "Type": "ELF",
            "HitsCount": 100_000,
        },
    },
    LISTED_DOMAIN: {
        "Zone": "Red",
        "DomainGeneralInfo": {
            "Domain": LISTED_DOMAIN,
            "HitsCount": 100,
            "FilesCount": 10,
            "CategoriesWithZone": [{"Name": "CATEGORY_PHISHING", "Zone": "Red"}],
        },
    },
    LISTED_IP: {
        "Zone": "Orange",
        "IpGeneralInfo": {
            "Ip": LISTED_IP,
            "Status": "known",
            "CountryCode": "ZZ",
            "HitsCount": 1000,
            "FirstSeen": "2026-10-01T00:00Z",
            "CategoriesWithZone": [{"Name": "CATEGORY_SPAM", "Zone": "Yellow"}],
        },
    },
}


def _catalogued(sha256: str, name: str, trust: int, **more: object) -> Json:
    return {
        "FileName": name,
        "FileSize": "88064",
        "SHA-256": sha256.upper(),
        "ProductCode": {"ProductName": "Example Office Suite", "ProductVersion": "4.2"},
        "db": "nsrl_modern_rds",
        "insert-timestamp": "1793923200.5",
        "source": "NSRL",
        "hashlookup:parent-total": 12,
        "hashlookup:trust": trust,
        **more,
    }


HASHLOOKUP: dict[str, Json] = {
    DISPUTED: _catalogued(DISPUTED, "setup.exe", 80, **{"SHA-1": DISPUTED_SHA1.upper()}),
    KNOWN_GOOD: _catalogued(KNOWN_GOOD, "./usr/lib/libexample.so.1", 95),
}

MALWAREBAZAAR: dict[str, Json] = {
    MALICIOUS: {
        "sha256_hash": MALICIOUS,
        "sha1_hash": "1fa03c8e5b7d9264c0e1b8a37d5f624980ce71ab",
        "md5_hash": MALICIOUS_MD5,
        "first_seen": "2026-10-07 11:12:13",
        "last_seen": "2026-11-18 06:07:08",
        "file_name": "invoice_0307.js",
        "file_size": 1_204_331,
        "file_type_mime": "text/plain",
        "file_type": "js",
        "reporter": "example_reporter",
        "origin_country": None,
        "anonymous": 0,
        "signature": "Latrodectus",
        "tags": ["js", "Latrodectus"],
        "code_sign": None,
        "delivery_method": "email_link",
        "intelligence": {"clamav": None, "downloads": "41", "uploads": "2", "mail": None},
        "vendor_intel": {"ExampleVendor": {"status": "MALICIOUS", "threat_name": "Script.Trojan.Example"}},
        "comments": None,
    },
}


def _entry(number: int, ioc: str, kind: str, confidence: int, **more: object) -> Json:
    return {
        "id": str(number),
        "ioc": ioc,
        "threat_type": "botnet_cc",
        "threat_type_desc": "Invented for the sandbox",
        "ioc_type": kind,
        "ioc_type_desc": "Invented for the sandbox",
        "malware": "win.latrodectus",
        "malware_printable": "Latrodectus",
        "malware_alias": "BlackWidow",
        "confidence_level": confidence,
        "first_seen": "2026-10-08 09:10:11 UTC",
        "last_seen": None,
        "reference": None,
        "reporter": "example_reporter",
        "tags": ["loader"],
        "malware_samples": [],
        **more,
    }


_SAMPLE = {
    "time_stamp": "2026-10-08 09:10:11 UTC",
    "md5_hash": MALICIOUS_MD5,
    "sha256_hash": MALICIOUS,
    "malware_bazaar": f"https://bazaar.abuse.example/sample/{MALICIOUS}/",
}
THREATFOX: dict[str, Json] = {
    LISTED_IP: _entry(42, f"{LISTED_IP}:443", "ip:port", 75, malware_samples=[_SAMPLE]),
    LISTED_DOMAIN: _entry(43, LISTED_DOMAIN, "domain", 50),
}

URLHAUS: dict[str, Json] = {
    MALICIOUS: {
        "md5_hash": MALICIOUS_MD5,
        "sha256_hash": MALICIOUS,
        "file_type": "js",
        "file_size": "1204331",
        "signature": "Latrodectus",
        "firstseen": "2026-10-07 10:00:00",
        "lastseen": "2026-11-17 12:00:00",
        "url_count": "2",
        "urlhaus_download": f"https://urlhaus-api.abuse.example/v1/download/{MALICIOUS}/",
        "virustotal": None,
        "urls": [
            {
                "url_id": "4102",
                "url": LISTED_URL,
                "url_status": "offline",
                "urlhaus_reference": "https://urlhaus.abuse.example/url/4102/",
                "filename": "invoice_0307.js",
                "firstseen": "2026-10-07",
                "lastseen": "2026-10-09",
            }
        ],
    },
    LISTED_URL: {
        "id": "4102",
        "urlhaus_reference": "https://urlhaus.abuse.example/url/4102/",
        "url": LISTED_URL,
        "url_status": "offline",
        "host": "files.harborwatch.example",
        "date_added": "2026-10-07 10:00:00 UTC",
        "last_online": "2026-10-09 10:00:00 UTC",
        "threat": "malware_download",
        "blacklists": {"spamhaus_dbl": "not listed", "surbl": "not listed"},
        "reporter": "example_reporter",
        "larted": "true",
        "takedown_time_seconds": None,
        "tags": ["js", "Latrodectus"],
        "payloads": [],
    },
    "files.harborwatch.example": {
        "host": "files.harborwatch.example",
        "urlhaus_reference": "https://urlhaus.abuse.example/host/files.harborwatch.example/",
        "firstseen": "2026-10-07 10:00:00 UTC",
        "url_count": "1",
        "blacklists": {"spamhaus_dbl": "not listed", "surbl": "not listed"},
        "urls": [{"id": "4102", "url": LISTED_URL, "url_status": "offline", "threat": "malware_download"}],
    },
}


def _suspicious(kind: str, value: str, risk: str, **more: object) -> Json:
    return {
        "type": kind,
        kind: value,
        "riskLevel": risk,
        "scanAction": "block" if risk == "high" else "log",
        "inExceptionList": False,
        "lastModifiedDateTime": "2026-11-09T17:57:24Z",
        "expiredDateTime": "2035-05-10T00:00:00Z",
        **more,
    }


TREND: dict[str, Json] = {
    MALICIOUS: _suspicious("fileSha256", MALICIOUS.upper(), "high", description="Invented for the sandbox"),
    LISTED_IP: _suspicious("ip", LISTED_IP, "medium"),
    LISTED_DOMAIN: _suspicious("domain", LISTED_DOMAIN, "high"),
    LISTED_URL: _suspicious("url", LISTED_URL, "low"),
}

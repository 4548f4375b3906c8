"""Made-up personal data that pass their checks, near misses that do not, and a policy that looks for all of them.

Every value is invented; keys are put together here so that no whole one stands in the repository.
"""

from safebelt.kernel.text import Text
from safebelt.rooms.belt.model import Action, Policy, Rule, RuleKind, Side
from safebelt.rooms.belt.scanner.detectors import DETECTORS

_B64 = "a1B2c3D4e5F6g7H8"
JWT = "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0NTY3ODkwIn0." + "c2lnbmF0dXJl_-x9"

VALID: dict[str, tuple[str, ...]] = {
    "email": ("alice@example.com", "first.last+tag@mail.example.co.uk", "li_wei-88@sub.example.cn"),
    "cn_mobile": (
        "13812345678",
        "138 1234 5678",
        "199-8765-4321",
        "+86 13812345678",
        "86-15912345678",
        "138.1234.5678",
        "138·1234·5678",
        "138 - 1234 - 5678",
        "(138)12345678",
        "+86(138)1234-5678",
        "013812345678",
        "1 3 8 1 2 3 4 5 6 7 8",
    ),
    "cn_landline": (
        "010-62345678",
        "0755-81234567",
        "(010)62345678",
        "010 6234 5678",
        "0755—81234567",
        "86-10-62345678",
        "+86 10 6234 5678",
    ),
    "phone_international": ("+44 20 7946 0958", "+4915112345678", "+1 (415) 555-2671", "00852 6123 4567"),
    "us_phone": ("(415) 555-2671", "415-555-2671", "1.212.555.0123"),
    "cn_id": (
        "11010519491231002X",
        "440524199001010050",
        "110105 19491231 002X",
        "110 105 1949 1231 002X",
        "1101051949-1231-002X",
    ),
    "us_ssn": ("123-45-6789", "078 05 1120"),
    "bank_card": (
        "4111111111111111",
        "4111 1111 1111 1111",
        "378282246310005",
        "6222-0212-3456-7894",
        "4111  1111  1111  1111",
        "4111.1111.1111.1111",
    ),
    "iban": ("DE89370400440532013000", "GB82 WEST 1234 5698 7654 32", "FR14 2004 1010 0505 0001 3M02 606"),
    "cn_uscc": ("91110102MACQD9K640", "91310104MACE0YX639"),
    "cn_passport": ("E12345678", "EA1234567", "SE1234567"),
    "cn_plate": ("京A12345", "粤B·D1234", "沪AD12345", "川A1234警"),
    "ipv4": ("203.0.113.57", "8.8.4.4"),
    "ipv6": ("2001:db8:85a3::8a2e:370:7334", "2606:4700:10::1"),
    "mac": ("3c:22:fb:1a:2b:3c", "3C-22-FB-1A-2B-3C"),
    "openai_key": ("sk-" + _B64 * 3, "sk-proj-" + _B64 * 5),
    "aws_key": ("AKIA" + "IOSFODNN7EXAMPLE", "ASIA" + "Y34FZKBOKMUTVV7A"),
    "aliyun_key": ("LTAI" + "5tGdqZ8kPq3rS7uV9wXy",),
    "github_token": ("ghp_" + _B64 * 2 + "abcd", "github_pat_" + _B64 * 4),
    "slack_token": ("xoxb-" + "123456789012-" + _B64,),
    "google_key": ("AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q",),
    "jwt": (JWT,),
    "safebelt_key": ("sbk_" + _B64 * 2, "sbt_" + _B64),
    "private_key": (
        "-----BEGIN " + "PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEG\nCCqGSM49AwEHBG0wawIBAQQg",
        "-----BEGIN RSA " + "PRIVATE KEY-----\\nMIIEpAIBAAKCAQEA7bq3v6",
    ),
    "invisible_run": ("\u200b" * 70,),
}

NEAR_MISSES: dict[str, tuple[str, ...]] = {
    "email": ("alice@localhost", "@example.com", "a@b", "3@5.6", "x" * 70 + "@example.com"),
    "cn_mobile": (
        "12812345678",
        "1381234567",
        "138123456789",
        "0.13812345678",
        "138.1234/5678",
        "138/1234/5678/9012",
        "1 3 5 7 9 2 4 6 8 0",
        "150 20 30 40 50",
        "1381 2345 678",
    ),
    "cn_landline": ("010-12345678", "0100-6234567", "1010-62345678", "01062345678", "(0100)6234567", "010 1234 5678"),
    "phone_international": ("+12345", "5+12345678", "+1234567890123456", "001-2024-0056", "00853-2024"),
    "us_phone": ("115-555-2671", "411-555-2671", "4155552671", "415-155-2671"),
    "cn_id": (
        "110105194912310021",
        "11010519491331002X",
        "99010519491231002X",
        "110105 0449 1231 0021",
        "110105490101002",
    ),
    "us_ssn": ("000-45-6789", "666-45-6789", "923-45-6789", "123-00-6789", "123-45-0000", "123456789", "123-45 6789"),
    "bank_card": (
        "4111111111111112",
        "1700000000000",
        "4444 4444 4444 4444",
        "3 1 4 1 5 9 2 6 5 3 5 8 9 7 9 3",
        "4111.1111/1111.1111",
        "4111.1111 1111.1111",
    ),
    "iban": ("DE88370400440532013000", "XX89370400440532013000", "DE8937040044053201300"),
    "cn_uscc": ("91110102MACQD9K641", "91110102MACQD9K64"),
    "cn_passport": ("E1234567", "EI1234567", "F12345678", "E123456789"),
    "cn_plate": ("京I12345", "新MARKET", "京A1234", "大A12345"),
    "ipv4": ("256.1.1.1", "192.168.1.1", "127.0.0.1", "10.0.0.8", "1.2.3.4.5", "224.0.0.1"),
    "ipv6": ("std::vector", "12:30:45", "::1", "fe80::1", "a::b", "1:2:3:4:5:6:7:8:9"),
    "mac": ("3c:22:fb:1a:2b", "3c:22:fb:1a:2b:3c:4d", "00:00:00:00:00:00", "3c:22-fb:1a-2b:3c"),
    "openai_key": ("sk-this-is-an-article-about-skating-and-snow", "sk-short", "task-" + _B64 * 3),
    "aws_key": ("AKIA" + "IOSFODNN7EXAMPL", "XAKIA" + "IOSFODNN7EXAMPLE"),
    "aliyun_key": ("LTAI" + "5tGdq", "XLTAI" + "5tGdqZ8kPq3rS7uV9wXy"),
    "github_token": ("ghp_" + _B64, "ghx_" + _B64 * 3),
    "slack_token": ("xoxb-short", "xoxz-" + _B64, "xoxb-only-words-here"),
    "google_key": ("AIza" + "SyA1b2",),
    "jwt": ("eyJhbGciOiJIUzI1NiJ9", "eyJhbGci.abcdefghijkl"),
    "safebelt_key": ("sbk_short", "sbx_" + _B64),
    "private_key": (
        "-----BEGIN CERTIFICATE-----\nMIGHAgEAMBMGByqGSM49AgEG",
        "-----BEGIN PRIVATE KEY----- is a PEM header",
    ),
    "invisible_run": ("\u200b" * 60,),
}

REFUSED = ("红色按钮", "blow it up", "ass")
MASKED_WORDS = ("蓝鲸计划", "project whale", "人人", "9527")
FLAGGED = ("也许", "maybe")
RED_LINE = ("越过红线", "cross the red line")

BOTH = frozenset(Side)
_T = Text(zh="测试", en="Test")


def rule(
    name: str, action: Action, terms: tuple[str, ...] = (), detectors: tuple[str, ...] = (), **more: object
) -> Rule:
    kind = RuleKind.PERSONAL if detectors else RuleKind.KEYWORDS
    return Rule(
        id=name,
        kind=kind,
        title=_T,
        sides=BOTH,
        action=action,
        terms=terms,
        detectors=detectors,
        **more,  # type: ignore[arg-type]
    )


def policy(*rules: Rule) -> Policy:
    return Policy(id="test/all", version=3, title=_T, appeal=_T, digest="0" * 64, rules=rules)


EVERYTHING = policy(
    rule("data", Action.MASK, detectors=tuple(DETECTORS)),
    rule("words.masked", Action.MASK, MASKED_WORDS),
    rule("words.flagged", Action.FLAG, FLAGGED),
    rule("words.refused", Action.REFUSE, REFUSED),
    rule("words.red", Action.REFUSE, RED_LINE, is_red_line=True),
)
ONLY_MASKS = policy(*EVERYTHING.rules[:3])

"""NIST's path-validation suite (PKITS 1.0.1): nothing it calls invalid is ok here; what it calls valid is ok, or refused
because our profile is narrower, and then for a reason that is written down below.

The suite's data comes with `cryptography-vectors`.  Its policies are asked about with the suite's default settings.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import cryptography_vectors
import pytest
from cryptography import x509

from safebelt.kernel.errors import Invalid
from safebelt.kernel.reasons import Reason
from safebelt.rooms.certificates.pki.path import Axis, Purpose, RevocationSource, examine
from safebelt.rooms.certificates.pki.reading import read_certificate

pytestmark = pytest.mark.filterwarnings("ignore:.*serial number", "ignore:.*DSA")
DATA = Path(cryptography_vectors.__file__).parent / "x509" / "PKITS_data"
ON = datetime(2020, 1, 1, tzinfo=UTC)  # the suite's certificates last from 2010 to 2030
AS_OLD_AS_THEY_ARE = timedelta(days=36_500)
ROOT = "TrustAnchorRootCertificate"

# With the suite's default settings these have no policy left where one is required (section 4.8 of its text), though
# their names do not say so.
INVALID_BY_POLICY = {f"DifferentPoliciesTest{n}" for n in (4, 5, 7, 8, 9, 12)}

# Valid by the suite and not in our profile: the name's pattern, and what we say.
NARROWER = {
    r"(DN|DNS|RFC822|URI|DNandRFC822)nameConstraintsTest": "not in our profile",
    r"PolicyMapping|inhibitPolicyMapping|inhibitAnyPolicy|requireExplicitPolicy": "not in our profile",
    r"AllCertificates(SamePoliciesTest1|anyPolicy)|AnyPolicyTest14|OverlappingPolicies|UserNoticeQualifierTest18": (
        "not in our profile"
    ),
    r"DSA": "signature does not hold|cannot be read",
    r"basicConstraintsNotCritical": "no authority",
    r"NameChaining(Capitalization|Whitespace)|UTF8StringCaseInsensitive": "is missing",  # names compare by octets
    r"RolloverfromPrintableString": "signature does not hold",
    r"BasicSelfIssued|SelfIssuedpathLen|SeparateCertificateandCRLKeys": "partial|Nothing proves",
    r"IDPwithindirectCRL|cRLIssuer|distributionPointTest|onlyContains|onlySomeReasons": "partial|Nothing proves",
    r"deltaCRL": "partial|is suspended",
}

# Invalid by the suite for something our profile knows as well: then that is what we say, and not just anything.
SAID = {
    r"(CA|EE)SignatureTest|DSASignatureTest": "signature does not hold",
    r"notBeforeDate": "not valid before",
    r"notAfterDate": "expired at",
    r"NameChaining": "is missing",
    r"MissingCRL|WrongCRL|BadCRLIssuerName": "Nothing proves",
    r"Revoked(CA|EE)|LongSerialNumber|deltaCRLTest(3|9)$": "was revoked at",
    r"CRLnextUpdate": "is stale",
    r"UnknownCRLEntryExtension": "critical extension of a line",
    r"UnknownCRLExtension|deltaCRLIndicator|distributionPoint|onlyContains|onlySomeReasons": "list is partial",
    r"Missingbasic|cAFalse": "no authority",
    r"pathLenConstraint": "too many authorities",
    r"keyCertSignFalse": "may not sign certificates",
    r"cRLSignFalse": "may not sign lists",
    r"UnknownCriticalCertificate": "must not be passed over",
    r"nameConstraintsTest(?!20)|PolicyMapping|MappingFrom|MappingTo|requireExplicit": "not in our profile",
    r"^DifferentPolicies": "not in our profile",
}


@cache
def certificates() -> dict[str, bytes]:
    return {file.stem: file.read_bytes() for file in sorted((DATA / "certs").iterdir())}


@cache
def authorities() -> dict[x509.Name, list[x509.Certificate]]:
    found = defaultdict[x509.Name, list[x509.Certificate]](list)
    for name, der in certificates().items():
        if name.endswith("EE") or name == ROOT:
            continue
        try:
            one = read_certificate(der)
        except Invalid:  # DSA with its parameters in another certificate
            assert name == "DSAParametersInheritedCACert"
            continue
        found[one.subject].append(one)
    return found


@cache
def lists() -> dict[x509.Name, list[bytes]]:
    found = defaultdict[x509.Name, list[bytes]](list)
    for file in sorted((DATA / "crls").iterdir()):
        found[x509.load_der_x509_crl(file.read_bytes()).issuer].append(file.read_bytes())
    return found


def above(leaf: x509.Certificate) -> Iterator[x509.Certificate]:
    """Every authority of the suite that could be on the way up, whether it signed or not."""
    names, todo = {leaf.issuer}, [leaf.issuer]
    while todo:
        for one in authorities()[todo.pop()]:
            yield one
            if one.issuer not in names:
                names.add(one.issuer)
                todo.append(one.issuer)


@cache
def judged(case: str) -> tuple[Axis, ...] | str:
    """The axes that the suite speaks of; our purposes are none of its business.  Or why it cannot be read."""
    root = read_certificate(certificates()[ROOT])
    try:
        leaf = read_certificate(certificates()[f"{case}EE"])
    except Invalid as error:
        return error.what.en
    others = list(above(leaf))
    issuers = {leaf.issuer, root.subject, *(one.issuer for one in others)}
    examined = examine(
        leaf,
        others,
        [root],
        on=ON,
        purpose=Purpose.IDENTITY,
        revocation=RevocationSource(crls=tuple(data for name in issuers for data in lists()[name])),
        max_age=AS_OLD_AS_THEY_ARE,
    )
    return examined.chain, examined.validity, examined.revocation


def is_ok(case: str) -> bool:
    axes = judged(case)
    return not isinstance(axes, str) and all(axis.state == "ok" for axis in axes)


def why_not(case: str) -> str:
    """All that stands in the way, in English."""

    def ends(reason: Reason) -> Iterator[str]:
        if reason.because:
            for one in reason.because:
                yield from ends(one)
        elif reason.holds != "true":
            yield reason.says.en

    axes = judged(case)
    return axes if isinstance(axes, str) else "\n".join(line for axis in axes for line in ends(axis.reason))


def cases(*, is_valid: bool) -> list[str]:
    found = [name.removesuffix("EE") for name in certificates() if name.endswith("EE")]
    return [one for one in found if (one.startswith("Invalid") or one in INVALID_BY_POLICY) is not is_valid]


def said_of(case: str, table: dict[str, str]) -> str | None:
    return next((words for pattern, words in table.items() if re.search(pattern, case)), None)


def test_the_suite_is_there_and_whole() -> None:
    assert (len(cases(is_valid=True)), len(cases(is_valid=False))) == (102, 121)
    assert sum(map(len, lists().values())) == 173


def test_nothing_the_suite_calls_invalid_is_ok() -> None:
    assert [case for case in cases(is_valid=False) if is_ok(case)] == []


def test_what_our_profile_knows_is_refused_for_what_is_wrong_with_it() -> None:
    told = {case: said_of(case, SAID) for case in cases(is_valid=False)}

    assert [case for case, words in told.items() if words and not re.search(words, why_not(case))] == []
    assert sum(words is not None for words in told.values()) >= 90


def test_what_the_suite_calls_valid_is_ok_or_not_in_our_profile_and_then_we_say_what() -> None:
    refused = {case: said_of(case, NARROWER) for case in cases(is_valid=True) if not is_ok(case)}

    assert [case for case, words in refused.items() if not (words and re.search(words, why_not(case)))] == []


def test_our_profile_is_not_so_narrow_that_it_accepts_nothing() -> None:
    accepted = {case for case in cases(is_valid=True) if is_ok(case)}

    assert len(accepted) == 27
    assert {
        "ValidCertificatePathTest1",
        "ValidGeneralizedTimenotAfterDateTest8",
        "ValidLongSerialNumberTest17",
        "ValidNameUIDsTest6",
        "ValidTwoCRLsTest7",
        "ValidUnknownNotCriticalCertificateExtensionTest1",
        "ValidkeyUsageNotCriticalTest3",
        "ValidpathLenConstraintTest14",
    } <= accepted

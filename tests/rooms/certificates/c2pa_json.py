"""A certificate as the C2PA schemas want it: JSON after their `$defs`, made with `asn1crypto`, not with our own code."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from asn1crypto import core, x509
from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).resolve().parents[2] / "data" / "c2pa"
_BITS = {
    "digital_signature": "digitalSignature",
    "non_repudiation": "contentCommitment",
    "key_encipherment": "keyEncipherment",
    "data_encipherment": "dataEncipherment",
    "key_agreement": "keyAgreement",
    "key_cert_sign": "keyCertSign",
    "crl_sign": "cRLSign",
    "encipher_only": "encipherOnly",
    "decipher_only": "decipherOnly",
}


@cache
def schema(name: str) -> Draft202012Validator:
    document = json.loads((SCHEMAS / f"{name}.cert.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)


def faults(name: str, der: bytes) -> list[str]:
    """What the schema of that name has against a certificate."""
    return [error.message[:200] for error in schema(name).iter_errors(as_json(der))]


def as_json(der: bytes) -> dict[str, Any]:
    certificate = x509.Certificate.load(der, strict=True)
    body = certificate["tbs_certificate"]
    return {
        "format": "certificate",
        "decoded": {
            "tbsCertificate": {
                "version": {"value": int(body["version"]), "rawValue": body["version"].native},
                "serialNumber_hex": hex(body["serial_number"].native),
                "signature": _algorithm(body["signature"]),
                "issuer": _name(body["issuer"]),
                "validity": _validity(body["validity"]),
                "subject": _name(body["subject"]),
                "subjectPublicKeyInfo": {"publicKey": _key(body["subject_public_key_info"])},
                "extensions": [_extension(one) for one in body["extensions"]],
            },
            "signatureAlgorithm": _algorithm(certificate["signature_algorithm"]),
            "signatureValue_hex": certificate["signature_value"].native.hex(),
        },
        "raw_hex": der.hex(),
    }


def _oid(value: Any) -> dict[str, str]:
    return {"oid": value.dotted, "name": str(value.native)}


def _algorithm(value: Any) -> dict[str, Any]:
    return {"algorithm": _oid(value["algorithm"])}


def _name(value: Any) -> list[list[dict[str, Any]]]:
    return [[{"type": _oid(pair["type"]), "value": pair["value"].native} for pair in rdn] for rdn in value.chosen]


def _validity(value: Any) -> dict[str, Any]:
    start, end = value["not_before"].native, value["not_after"].native
    days = -(-(end - start) // timedelta(days=1))  # any part of a day is a day
    return {
        "notBefore": _time(value["not_before"]),
        "notAfter": _time(value["not_after"]),
        "computedValidityDays": days,
    }


def _time(value: Any) -> dict[str, str]:
    moment: datetime = value.native
    return {"_encoding": "UTCTime" if value.name == "utc_time" else "GeneralizedTime", "value": moment.isoformat()}


def _key(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"spki_algorithm": _algorithm(value["algorithm"]), "raw_spki_hex": value.dump().hex()}
    kind = value["algorithm"]["algorithm"].native
    if kind == "rsa":
        parsed = value["public_key"].parsed
        modulus = parsed["modulus"].native
        found |= {"modulus_bits": modulus.bit_length(), "modulus_hex": hex(modulus)}
        found |= {"publicExponent": parsed["public_exponent"].native}
    elif kind == "ec":
        found |= {"curve": value.curve[1], "key_size_bits": value.bit_size}
    elif kind == "ed25519":
        found |= {"curve": "ed25519", "key_size_bits": 256}
    return found


def _general(value: Any) -> dict[str, Any]:
    names = {"uniform_resource_identifier": "uniformResourceIdentifier", "dns_name": "dNSName"}
    return {"_type": names.get(value.name, "UNKNOWN"), "value": value.native}


def _usage(parsed: Any) -> dict[str, Any]:
    return {name: bit in parsed.native for bit, name in _BITS.items()}


def _asked(parsed: Any) -> dict[str, Any]:
    told = [
        {"accessMethod": _oid(one["access_method"]), "accessLocation": _general(one["access_location"])}
        for one in parsed
    ]
    return {"authorityInfoAccess": told}


def _listed(parsed: Any) -> dict[str, Any]:
    told = [
        {"distributionPoint": {"fullName": [_general(name) for name in one["distribution_point"].chosen]}}
        for one in parsed
    ]
    return {"cRLDistributionPoints": told}


_READERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "key_identifier": lambda it: {"keyIdentifier_hex": it.native.hex()},
    "authority_key_identifier": lambda it: {"keyIdentifier_hex": it["key_identifier"].native.hex()},
    "key_usage": _usage,
    "basic_constraints": lambda it: {"cA": it["ca"].native, "pathLenConstraint": it["path_len_constraint"].native},
    "extended_key_usage": lambda it: {"extendedKeyUsage": [_oid(one) for one in it]},
    "certificate_policies": lambda it: {
        "certificatePolicies": [{"policyIdentifier": _oid(one["policy_identifier"])} for one in it]
    },
    "authority_information_access": _asked,
    "crl_distribution_points": _listed,
    "ocsp_no_check": lambda _: {"ocspNoCheck": None},
}


def _extension(value: Any) -> dict[str, Any]:
    raw, reader = bytes(value["extn_value"]), _READERS.get(value["extn_id"].native)
    told = reader(value["extn_value"].parsed) if reader else _unknown(raw)
    told["_raw_value_hex"] = raw.hex()
    return {"extnID": _oid(value["extn_id"]), "critical": value["critical"].native, "extnValue": told}


def _unknown(der: bytes) -> dict[str, Any]:
    parsed = core.load(der)
    if isinstance(parsed, core.ObjectIdentifier):
        return {"_unrecognized": True, "_pyasn1_decoded": {"_asn1_type": "ObjectIdentifier", "value": parsed.dotted}}
    if isinstance(parsed, core.UTF8String):
        return {"_unrecognized": True, "_pyasn1_decoded": {"_asn1_type": "UTF8String", "value": parsed.native}}
    return {"_unrecognized": True}

"""What an authority may be called."""

from dataclasses import replace

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.certificates.model import Found

MAX_ORGANIZATION = 64
"""ub-organization-name, RFC 5280 appendix A.1."""


def hold_founding(cmd: Found) -> Found:
    """Hold that a name and a country can stand in a certificate, and return them tidied.

    Raises:
        Invalid: One of them cannot.
    """
    name, country = " ".join(cmd.organization.split()), cmd.country.strip().upper()
    if not name or not name.isprintable() or len(name) > MAX_ORGANIZATION:
        raise Invalid(
            what=Text(zh="机构名称不能写入证书。", en="This name cannot stand in a certificate."),
            hint=Text(
                zh=f"请填写 1 到 {MAX_ORGANIZATION} 个可打印字符。",
                en=f"Give 1 to {MAX_ORGANIZATION} printable characters.",
            ),
            details={"field": "organization"},
        )
    if not (len(country) == 2 and country.isascii() and country.isalpha()):
        raise Invalid(
            what=Text(zh=f"“{cmd.country}”不是国家代码。", en=f"“{cmd.country}” is no country code."),
            hint=Text(
                zh="请填写两个字母的代码（ISO 3166-1），例如 CN。", en="Give two letters (ISO 3166-1), for example CN."
            ),
            details={"field": "country"},
        )
    return replace(cmd, organization=name, country=country)

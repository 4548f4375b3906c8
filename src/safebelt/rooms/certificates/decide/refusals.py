"""What the certificates say no with."""

from safebelt.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from safebelt.kernel.text import Text


def no_authority() -> NotFound:
    """There is no issuing authority yet."""
    return NotFound(
        what=Text(zh="本平台尚未设立签发机构。", en="This house has no issuing authority yet."),
        hint=Text(
            zh="请运行 `safebelt certificates found --organization 名称 --country CN` 设立。",
            en="Found one: `safebelt certificates found --organization NAME --country CN`.",
        ),
    )


def founded_already() -> Conflict:
    """There is an issuing authority."""
    return Conflict(
        what=Text(zh="本平台已有签发机构。", en="This house has an issuing authority already."),
        hint=Text(
            zh="`safebelt certificates authority` 可查看它；一个平台只有一个。",
            en="`safebelt certificates authority` shows it; a house has one.",
        ),
    )


def no_certificate(serial: str) -> NotFound:
    """There is no such certificate."""
    return NotFound(
        what=Text(zh=f"本平台没有签发过序列号为 {serial} 的证书。", en=f"No certificate {serial} was issued here."),
        hint=Text(
            zh="请核对序列号（十六进制），或在证书列表中查找。",
            en="Compare the serial number (hexadecimal), or search the list.",
        ),
        details={"field": "serial"},
    )


def key_is_away(role: Text) -> Unavailable:
    """A private key is not on this machine."""
    return Unavailable(
        what=Text(zh=f"{role.zh}的私钥不在本机。", en=f"The private key of the {role.en} is not on this machine."),
        hint=Text(
            zh="请将密钥文件放回 SAFEBELT_HOME/keys/certificates/，完成后再移走。",
            en="Put its file back into SAFEBELT_HOME/keys/certificates/, and take it away again afterwards.",
        ),
    )


def no_reason() -> Invalid:
    """No reason is given."""
    return Invalid(
        what=Text(zh="未填写理由。", en="No reason is given."),
        hint=Text(zh="请用一句话说明理由；它会记入账本。", en="Say why in a sentence; the ledger keeps it."),
        details={"field": "reason"},
    )

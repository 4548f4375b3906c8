"""Every knob, in one place.  Each is an environment variable `SAFEBELT_<NAME>`; nothing is configured elsewhere."""

import re
from pathlib import Path
from typing import Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text

_DATA = Path(__file__).resolve().parents[2]


class EarlierVersion(BaseModel):
    """What serves an earlier version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    upstream: str = Field(default="", pattern=r"^(https?://[^\s,?#]+)?$")
    model: str = Field(default="", max_length=200)
    systems: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_something(self) -> "EarlierVersion":
        if not (self.upstream or self.model):
            raise ValueError("an earlier version has an upstream, a model, or both")
        return self


class Settings(BaseSettings):
    """What an operator can set.  Defaults run on one small machine with no internet."""

    model_config = SettingsConfigDict(env_prefix="SAFEBELT_", frozen=True, extra="ignore")

    home: Path = Field(default=Path("var"), description="Where all state lives: database, keys, records, log.")
    data: Path = Field(default=_DATA, description="Where the data folders (`access/`, `screening/`, `admission/`) are.")
    database_url: str = Field(default="", description="SQLAlchemy URL; empty means SQLite under home.")
    bus: str = Field(default="", description="`nats://host:4222` for JetStream; empty means in-process.")
    command_keys: Path | None = Field(
        default=None,
        description="File with the verifier keys of the house whose orders this machine obeys over the bus, one a line "
        "(what `safebelt ledger key` prints there). Empty means that this house commands: its orders go out.",
    )
    lease_seconds: float = Field(
        default=10.0,
        ge=0,
        description="How long the commanding house may be silent on the bus before the belt stops by itself; it goes "
        "on by itself when it is heard again. 0 means for ever. Without a bus it means nothing.",
    )
    hold_seconds: int = Field(
        default=30,
        ge=1,
        le=300,
        description="How many seconds a new request waits where a pause lets requests wait and says no more.",
    )
    hold_most: int = Field(
        default=100, ge=1, le=10_000, description="How many requests wait on this machine in such a pause."
    )
    bind: str = Field(default="127.0.0.1", description="Address both ports listen on.")
    console_port: int = Field(default=8800, ge=0, le=65535, description="Port of console, portal and JSON API.")
    public_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s/?#]+)?$",
        description="How the public reaches the console, for example `https://ai.example.org`; written into "
        "certificates, QR codes and feeds. Empty means its own port, as whoever asks addressed it.",
    )
    belt_port: int = Field(default=8801, ge=0, le=65535, description="Port of the belt.")
    belt_workers: int = Field(
        default=1,
        ge=1,
        le=64,
        description="How many processes share the belt's port. One serves thousands of exchanges a second, and each "
        "more keeps its own word lists in memory (some 125 MB with 10,000 words) and its own log of records; set it "
        "to the number of cores where one is not enough.",
    )
    belt_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s?#]+[^\s?#/])?$",
        description="How callers reach the belt, for example `https://api.example.org`; signed into its proofs of "
        "identity. Empty means its own port.",
    )
    identity_system: str = Field(
        default="",
        max_length=40,
        pattern=r"^(sys_[0-9a-z]+)?$",
        description="The system whose identity the belt proves at `/.well-known/safebelt/identity`; empty for none.",
    )
    identity_authority: str = Field(
        default="",
        pattern=r"^(https?://[^\s/?#]+)?$",
        description="House whose authority certifies that system, for example `https://ai.example.org`; empty means "
        "this house.",
    )
    identity_days: int = Field(default=90, ge=1, le=90, description="How long such a certificate is asked for.")
    identity_seconds: float = Field(
        default=60.0, ge=0.1, description="How often the belt looks whether its certificate is due, or was changed."
    )
    tls_cert: Path | None = Field(
        default=None, description="PEM certificate chain; with tls_key turns both ports to TLS."
    )
    tls_key: Path | None = Field(default=None, description="PEM private key of tls_cert.")
    upstream: str = Field(
        default="", description="OpenAI-compatible base URL ending in `/v1`; empty means the local model."
    )
    upstream_key: str = Field(default="", repr=False, description="Bearer key sent to the upstream.")
    upstream_fallbacks: str = Field(
        default="",
        pattern=r"^(https?://[^\s,?#]+(,https?://[^\s,?#]+)*)?$",
        description="Further OpenAI-compatible base URLs, separated by commas, asked in this order while those before "
        "fail; they must serve the same models.",
    )
    upstream_fallback_keys: str = Field(
        default="", repr=False, description="Bearer keys sent to them, in the same order; left out, none is sent."
    )
    earlier_versions: dict[str, EarlierVersion] = Field(
        default_factory=dict,
        description="Earlier versions to which persons may roll a system back, JSON from name to what serves it, for "
        'example `{"v1": {"upstream": "https://old.example.org/v1", "model": "qwen-2", "systems": ["sys_..."]}}`: '
        "an address, a model's name there, or both; with `systems`, for these only.",
    )
    earlier_keys: dict[str, str] = Field(
        default_factory=dict, repr=False, description="Bearer keys sent to them, JSON from the version's name to key."
    )
    mcp_servers: dict[str, str] = Field(
        default_factory=dict,
        description="MCP servers behind the belt, JSON from name to address, for example "
        '`{"files": "https://tools.example.org/mcp"}`; each is reached at the belt\'s `/mcp/<name>`.',
    )
    mcp_keys: dict[str, str] = Field(
        default_factory=dict, repr=False, description="Bearer keys sent to MCP servers, JSON from name to key."
    )
    picture_origins: str = Field(
        default="",
        pattern=r"^(https?://[^\s,/?#@]+(,https?://[^\s,/?#@]+)*)?$",
        description="Further origins, separated by commas, from which the belt fetches pictures that an answer names "
        "by address, for example `https://files.example.org`; the upstream's own is always one.",
    )
    admin_password: str = Field(default="", repr=False, description="Presets the first administrator's password.")
    signing_key: Path | None = Field(
        default=None, description="Ed25519 key of the ledger; default `home/keys/ledger.key`."
    )
    log_origin: str = Field(
        default="safebelt.local/log", description="Name of the log in its checkpoints (C2SP origin)."
    )
    witness_name: str = Field(
        default="", description="Name we cosign other logs under; empty means `<log_origin>/witness`."
    )
    witness_key: Path | None = Field(
        default=None, description="Keys we cosign other logs with; default `home/keys/witness.key`."
    )
    witness_seconds: float = Field(
        default=10.0, ge=1.0, description="How often the newest checkpoint is taken to our own witnesses."
    )
    monitored_logs: Path | None = Field(
        default=None, description="C2SP tlog-policy file; its logs that have an address are watched by ourselves."
    )
    monitor_seconds: float = Field(default=60.0, ge=1.0, description="How often those logs are looked at.")
    provider_code: str = Field(
        default="",
        description="Code of the provider for GB 45438 labels, visible ASCII; empty takes that of each system's "
        "provider in the register (of its unified social credit code), and without one leaves labels incomplete.",
    )
    max_body_bytes: int = Field(
        default=10 * 1024 * 1024, ge=1024, description="Largest request body the belt accepts, bytes."
    )

    otlp: str = Field(
        default="",
        pattern=r"^(https?://[^\s?#]+[^\s?#/])?$",
        description="OpenTelemetry collector that is sent spans and metrics by OTLP/HTTP, for example "
        "`http://collector:4318`; empty for none.",
    )
    otlp_headers: str = Field(
        default="",
        repr=False,
        description="Headers sent to it, `name=value` separated by commas, values percent-encoded.",
    )
    records_days: int = Field(
        default=0,
        ge=0,
        description="How many days the belt's records are kept; older segments are removed from disk, and the ledger "
        "says so. 0 or empty means for ever. Not fewer than records_min_days.",
    )
    records_min_days: int = Field(
        default=183,
        ge=0,
        description="The house's own least for that: six months, the shortest that a norm of the rulebook on keeping "
        "logs names (its controls of kind `log_retention`).",
    )
    minors_policy: str = Field(
        default="safebelt/minors",
        pattern=r"^[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9-]*)+$",
        description="Screening policy that minors' mode lays over a system's own.",
    )
    timezone: str = Field(
        default="UTC",
        description="Time zone in which rules of admission ask about hour and weekday, for example `Asia/Shanghai`.",
    )
    model_port: int = Field(default=8802, ge=1, le=65535, description="Loopback port of the local model's server.")
    log_format: str = Field(default="text", pattern="^(text|json)$", description="Form of log lines: text or json.")
    lang: Literal["zh", "en"] = Field(default="en", description="Language of the command line.")
    interpreted: bool = Field(
        default=False, description="Run the belt's hottest modules from their sources, not compiled; slower."
    )

    @field_validator("earlier_versions")
    @classmethod
    def _are_named(cls, versions: dict[str, EarlierVersion]) -> dict[str, EarlierVersion]:
        if odd := [name for name in versions if not re.fullmatch(r"[A-Za-z0-9][\w.-]{0,39}", name, re.ASCII)]:
            raise ValueError(f"a version's name is of letters, digits, dots and dashes, not {odd[0]!r}")
        return versions

    @field_validator("otlp_headers")
    @classmethod
    def _are_headers(cls, text: str) -> str:
        if any("=" not in part for part in text.split(",") if part.strip()):
            raise ValueError("headers are name=value, separated by commas")
        return text

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"no time zone is called {name!r}")
        return name

    @field_validator("records_days", mode="before")
    @classmethod
    def _is_for_ever(cls, days: object) -> object:
        return 0 if days == "" else days

    @model_validator(mode="after")
    def _is_long_enough(self) -> "Settings":
        if 0 < self.records_days < self.records_min_days:
            raise ValueError(
                f"records_days={self.records_days} is shorter than records_min_days={self.records_min_days}: "
                "records would go before the least time the house keeps them"
            )
        return self

    @property
    def is_tls(self) -> bool:
        """Whether both ports speak TLS."""
        return self.tls_cert is not None

    @property
    def upstream_url(self) -> str:
        """The upstream in force: the operator's own, or the local model."""
        return self.upstream or f"http://127.0.0.1:{self.model_port}/v1"

    @property
    def fallback_upstreams(self) -> list[str]:
        """The upstreams that stand in for the first."""
        return [url for url in self.upstream_fallbacks.split(",") if url]

    @property
    def fallback_keys(self) -> list[str]:
        """Their keys, as many as were given, none for more upstreams than there are."""
        return self.upstream_fallback_keys.split(",")[: len(self.fallback_upstreams)]

    def url(self, port: int) -> str:
        """Return the address of one of our ports, as this machine reaches it."""
        host = "127.0.0.1" if self.bind in {"0.0.0.0", "::"} else self.bind  # noqa: S104  read, not bound
        return f"{'https' if self.is_tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"

    @property
    def public_base(self) -> str:
        """The address the public is given where nobody's request says another, without a slash at its end."""
        return self.public_url or self.url(self.console_port)

    @property
    def belt_base(self) -> str:
        """The address at which callers reach the belt, without a slash at its end."""
        return self.belt_url or self.url(self.belt_port)

    @property
    def sql_url(self) -> str:
        """The database URL in force."""
        return self.database_url or f"sqlite:///{(self.home / 'safebelt.db').resolve()}"


def settings_in_force() -> Settings:
    """Return what the environment sets.

    Raises:
        Invalid: A setting cannot be used.  Its value is not repeated: it may be a key.
    """
    try:
        return Settings()
    except ValidationError as error:
        found = [(each["loc"], each["msg"]) for each in error.errors(include_input=False, include_url=False)]
        raise _unusable("; ".join(f"{_named(place)}: {why}" for place, why in found)) from None
    except SettingsError as error:  # names the field; its cause quotes the value
        raise _unusable(f"{error}: not JSON") from None


def _named(place: tuple[int | str, ...]) -> str:
    """Return a setting's name, and where in its value; nothing of either where several do not go together."""
    first, *rest = map(str, place or ("",))
    return ".".join([f"SAFEBELT_{first}".upper() if first else "SAFEBELT_…", *rest])


def _unusable(what: str) -> Invalid:
    return Invalid(
        what=Text(zh=f"设置无法使用。{what}。", en=f"A setting cannot be used. {what}."),
        hint=Text(
            zh="请更正或删去该环境变量；全部设置见 docs/reference/settings.zh.md。",
            en="Correct the environment variable, or leave it out; all of them are in docs/reference/settings.en.md.",
        ),
    )

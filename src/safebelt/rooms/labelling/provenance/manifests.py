"""C2PA manifests: signing with a system's certificate, and reading what others signed.

Hashes, structure and the claim's signature are checked by the reference engine (c2pa-rs, by way of c2pa-python).  What
it says of *revocation* is not asked for: it answers *trusted* to garbage.  Chain and revocation of certificates of this
house are judged by the room that issued them; the engine only says that the chain leads to a root it was given.

Nothing is fetched: remote manifests and revocation answers are switched off, and a manifest that is elsewhere is not
evaluated.
"""

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats import heif_plain, id3
from safebelt.rooms.labelling.formats.carrier import Broken, Buffer, Edit, Unwritable, applied
from safebelt.rooms.labelling.formats.kinds import MEDIA_TYPES, Kind
from safebelt.rooms.labelling.model.provenance import Claim, Manifest, Sign
from safebelt.rooms.labelling.provenance import loopback, swift, text_manifests
from safebelt.rooms.labelling.provenance.stores import AIGC_ASSERTION
from safebelt.rooms.labelling.provenance.text_manifests import TEXT_KINDS

if TYPE_CHECKING:
    import c2pa

SIGNED_KINDS = frozenset(
    {
        *(Kind.JPEG, Kind.PNG, Kind.WEBP, Kind.GIF, Kind.TIFF, Kind.AVIF, Kind.HEIC, Kind.SVG),
        *(Kind.MP4, Kind.MOV, Kind.M4A, Kind.AVI, Kind.WAV, Kind.MP3, Kind.FLAC, Kind.PDF),
        *TEXT_KINDS,
    }
)
"""What is signed: where the engine writes and an independent one accepts it.  Packages (DOCX and its kin) are only
read: what this engine writes into them no other accepts."""
READ_KINDS = SIGNED_KINDS | {Kind.DOCX, Kind.XLSX, Kind.PPTX, Kind.EPUB}
_CLAIM_SIGNING = "1.3.6.1.4.1.62558.2.1\n1.3.6.1.5.5.7.3.36\n"
"""Extended key usages of claim signing: C2PA's own, and document signing (RFC 9336)."""
_MAX_JSON = 8 << 20
_ALGORITHMS = {"es256": "ES256", "es384": "ES384", "ed25519": "ED25519"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signs.

    Attributes:
        algorithm: `es256`, `es384` or `ed25519`.
        chain: The certificate and those above it but the root, PEM.
        sign: Signs bytes; ECDSA signatures as `r` and `s` one after the other (RFC 9053, 2.1).
        stamp: Answers the query for a time-stamp on the signature (C2PA 2.x, `sigTst2`); None for none.
    """

    algorithm: str
    chain: str
    sign: Sign
    stamp: loopback.Stamp | None = None


class Manifests:
    """Signs and reads.

    Args:
        home: Roots of this house, PEM; empty where there are none.
        listed: Roots of the C2PA trust list, PEM; empty where it is not at hand.
    """

    def __init__(self, home: str, listed: str = "") -> None:
        self._roots = {"home": home, "list": listed}
        self._contexts: dict[str, c2pa.Context] = {}

    def sign(self, data: bytes, out: IO[bytes], kind: Kind, claim: Claim, signer: Signer) -> None:
        """Copy a file, signed.

        Args:
            data: The file.
            out: Where the signed one goes; readable too, since the engine reads back what it writes.
            kind: Its format.
            claim: What the manifest says.
            signer: Who signs.

        Raises:
            Unwritable: The format takes no manifest here, or the file none more.
            Broken: The engine cannot read the file.
        """
        made = _swift(data, kind, claim, signer)
        if made is not None:
            out.write(made)
        else:
            self._sign(data, out, kind, claim, signer)

    def signed(self, data: bytes, kind: Kind, claim: Claim, signer: Signer, edit: Edit = ()) -> bytes:
        """Return a file, signed, after an edit if one is given; arguments and errors as of `sign`."""
        made = _swift(data, kind, claim, signer, edit)
        if made is not None:
            return made
        out = io.BytesIO()
        self._sign(applied(data, edit) if edit else data, out, kind, claim, signer)
        return out.getvalue()

    def _sign(self, data: bytes, out: IO[bytes], kind: Kind, claim: Claim, signer: Signer) -> None:
        definition = _definition(claim)
        if kind in (Kind.HEIC, Kind.AVIF):
            data = applied(data, heif_plain.plain(data))
        if kind not in TEXT_KINDS:
            self._made(io.BytesIO(data), out, kind, definition, signer)
            return

        def sign(binding: Mapping[str, Any]) -> bytes:
            bound = {"label": text_manifests.BINDING, "data": binding}
            assertions = [*definition["assertions"], bound]
            return self._made(io.BytesIO(), io.BytesIO(), kind, definition | {"assertions": assertions}, signer)

        out.write(text_manifests.signed(data[: text_manifests.MAX_TEXT_BYTES + 1], kind, sign))

    def _made(
        self, source: IO[bytes], out: IO[bytes], kind: Kind, definition: Mapping[str, Any], signer: Signer
    ) -> bytes:
        """Let the engine sign, and return the manifest store; into a text it puts nothing."""
        import c2pa  # noqa: PLC0415  50 MB that only signing and reading need

        algorithm = getattr(c2pa.C2paSigningAlg, _ALGORITHMS[signer.algorithm])
        try:
            with (
                loopback.answering(signer.stamp) as address,
                c2pa.Signer.from_callback(signer.sign, algorithm, signer.chain, address) as hand,
                c2pa.Builder(definition, self._context("")) as builder,
            ):
                if kind in TEXT_KINDS:
                    builder.set_no_embed()
                builder.set_intent(c2pa.C2paBuilderIntent.CREATE, c2pa.C2paDigitalSourceType.TRAINED_ALGORITHMIC_MEDIA)
                return bytes(builder.sign(hand, MEDIA_TYPES[kind], source, out))
        except c2pa.C2paError as error:
            raise Broken(f"the C2PA engine refused: {str(error)[:200]}") from error

    def read(self, path: Path, kind: Kind, data: Buffer | None = None) -> Manifest | None:
        """Read the manifest in force.

        Args:
            path: The file.
            kind: Its format.
            data: The same, mapped: then what this house wrote itself is verified without the engine.

        Returns:
            What it says, or None where the file has none, or only points elsewhere.

        Raises:
            Broken: There is one, and it cannot be read.
            OSError: The file cannot be opened.
        """
        home = self._roots["home"]
        if data is not None and kind is Kind.JPEG and home and (own := swift.manifest_of_jpeg(data, home)) is not None:
            return own
        if data is not None and kind is Kind.MP3 and not _is_whole_mp3(data):
            return None
        with path.open("rb") as source:
            return self.read_from(source, kind)

    def read_from(self, source: IO[bytes], kind: Kind) -> Manifest | None:
        """Read the manifest in force by the engine alone; result and errors as of `read`."""
        found = None
        for name in [one for one in ("home", "list") if self._roots[one]] or [""]:
            source.seek(0)
            found = self._read(source, kind, name)
            if found is None or found.trusted_by:
                break
        return found

    def _read(self, source: IO[bytes], kind: Kind, roots: str) -> Manifest | None:
        import c2pa  # noqa: PLC0415  as above

        if kind in TEXT_KINDS:
            return self._read_text(source.read(text_manifests.MAX_TEXT_BYTES), kind, roots)
        try:
            with c2pa.Reader(MEDIA_TYPES[kind], source, context=self._context(roots)) as reader:
                if not reader.is_embedded():
                    return None
                text, plain = reader.crjson(), reader.json()
        except (c2pa.C2paError.ManifestNotFound, c2pa.C2paError.NotSupported):
            return None
        except c2pa.C2paError as error:
            raise Broken(f"a C2PA manifest that cannot be read: {str(error)[:200]}") from error
        return _parsed(text, plain, roots)[0]

    def _read_text(self, text: bytes, kind: Kind, roots: str) -> Manifest | None:
        """Read a text's manifest: the engine judges it alone, and what it is bound to is judged here."""
        import c2pa  # noqa: PLC0415  as above

        wrapper = text_manifests.store_in(text, kind)
        if wrapper is None:
            return None
        context = self._context(roots)
        try:
            with c2pa.Reader(MEDIA_TYPES[kind], io.BytesIO(), manifest_data=wrapper.store, context=context) as reader:
                said, plain = reader.crjson(), reader.json()
        except c2pa.C2paError as error:
            raise Broken(f"a C2PA manifest that cannot be read: {str(error)[:200]}") from error
        manifest, assertions = _parsed(said, plain, roots)
        return text_manifests.bound(manifest, assertions.get(text_manifests.BINDING), text, kind, wrapper)

    def _context(self, roots: str) -> "c2pa.Context":
        import c2pa  # noqa: PLC0415  as above

        if roots not in self._contexts:
            anchors = self._roots.get(roots, "")
            self._contexts[roots] = c2pa.Context.from_dict(
                {
                    "version": 1,
                    "trust": {"trust_anchors": anchors, "trust_config": _CLAIM_SIGNING} if anchors else {},
                    "verify": {
                        "verify_trust": bool(anchors),
                        "verify_after_sign": False,
                        "remote_manifest_fetch": False,
                        "ocsp_fetch": False,
                    },
                    "builder": {"thumbnail": {"enabled": False}},
                }
            )
        return self._contexts[roots]


def _is_whole_mp3(data: Buffer) -> bool:
    """Whether the engine may read an MP3: it takes as much memory as a frame says it is long, if the tag ends or not.

    Raises:
        Broken: The tag is not whole, and may hold a manifest.
    """
    tag = id3.tag_at(data, 0)
    if tag is None or not tag.tail.strip(b"\0"):
        return True
    if b"c2pa" in tag.tail or any(b"c2pa" in one.raw for one in tag.frames):
        raise Broken("an ID3 tag with frames that end beyond it")
    return False


def _parsed(text: str, plain: str, roots: str) -> tuple[Manifest, Mapping[str, Any]]:
    """Return the manifest in force, and its assertions as the engine writes them."""
    if len(text) + len(plain) > _MAX_JSON:
        raise Broken("a C2PA manifest too large to be looked into")
    try:
        return _manifest(json.loads(text), json.loads(plain), roots)
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError, IndexError) as error:
        raise Broken("a C2PA manifest of an unknown shape") from error


def _swift(data: bytes, kind: Kind, claim: Claim, signer: Signer, edit: Edit = ()) -> bytes | None:
    """Return a file, signed without the engine, where that can be.

    Raises:
        Unwritable: The format takes no manifest here.
        Broken: It is no whole file of its format.
    """
    if kind not in SIGNED_KINDS:
        raise Unwritable(_no_manifest(kind))
    if kind is not Kind.JPEG or signer.algorithm != "es256" or signer.stamp is not None:
        return None
    return swift.signed_jpeg(data, claim, signer.chain, signer.sign, edit)


def _definition(claim: Claim) -> dict[str, Any]:
    """Return the manifest's definition; that a trained model made the content stands in the action that is added."""
    assertions: list[dict[str, Any]] = []
    if claim.aigc:
        assertions.append({"label": AIGC_ASSERTION, "data": dict(claim.aigc)})
    assertions += [
        {"label": "c2pa.soft-binding", "data": {"alg": algorithm, "blocks": [{"scope": {}, "value": value}]}}
        for algorithm, value in claim.bindings.items()
    ]
    return {
        "title": f"{claim.system[0]} {claim.system[1]}".strip(),
        "claim_generator_info": [{"name": claim.software[0], "version": claim.software[1]}],
        "assertions": assertions,
    }


def _manifest(found: Mapping[str, Any], plain: Mapping[str, Any], roots: str) -> tuple[Manifest, Mapping[str, Any]]:
    active = plain["active_manifest"]
    one = next(each for each in found["manifests"] if each["label"] == active)
    results = one["validationResults"]
    success = {str(each["code"]) for each in results.get("success", ())}
    failure = {str(each["code"]) for each in results.get("failure", ())} | set(_of_ingredients(plain))
    info = one["signature"].get("certificateInfo", {})
    stamper = one["signature"].get("timeStampInfo", {}).get("certificateInfo", {})
    assertions = list(_assertions(one))
    manifest = Manifest(
        success=frozenset(success),
        failure=frozenset(failure),
        serial=str(info.get("serialNumber", "")).lower(),
        subject=_name(info.get("subject", {})),
        issuer=_name(info.get("issuer", {})),
        trusted_by=roots if "signingCredential.trusted" in success else "",
        source_types=tuple(_source_types(assertions)),
        aigc=_aigc(assertions),
        bindings=_bindings(assertions),
        signed_at=str(plain["manifests"][active].get("signature_info", {}).get("time", "") or ""),
        stamper=str(stamper.get("serialNumber", "")).lower(),
        stamper_name=_name(stamper.get("subject", {})),
        generator=_generator(one),
    )
    return manifest, one.get("assertions", {})


def _of_ingredients(plain: Mapping[str, Any]) -> Iterable[str]:
    """Yield what fails about ingredients: what the content was made of is part of what was signed."""
    for delta in plain.get("validation_results", {}).get("ingredientDeltas", ()) or ():
        for each in delta.get("validationDeltas", {}).get("failure", ()):
            yield f"ingredient.{each['code']}"


def _assertions(one: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    for label, data in one.get("assertions", {}).items():
        for each in data if isinstance(data, list) else (data,):
            if isinstance(each, dict):
                yield label.split("__")[0], each


def _source_types(assertions: Sequence[tuple[str, Mapping[str, Any]]]) -> Iterable[str]:
    for label, data in assertions:
        if label.startswith("c2pa.actions"):
            for action in data.get("actions", ()):
                if isinstance(action.get("digitalSourceType"), str):
                    yield action["digitalSourceType"]


def _aigc(assertions: Sequence[tuple[str, Mapping[str, Any]]]) -> Mapping[str, str]:
    for label, data in assertions:
        if label == AIGC_ASSERTION:
            return {str(key): str(value) for key, value in data.items()}
    return {}


def _bindings(assertions: Sequence[tuple[str, Mapping[str, Any]]]) -> Mapping[str, str]:
    found = dict[str, str]()
    for label, data in assertions:
        if label == "c2pa.soft-binding" and data.get("blocks"):
            found[str(data.get("alg", ""))] = str(data["blocks"][0].get("value", ""))
    return found


def _name(parts: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in parts.items())


def _generator(one: Mapping[str, Any]) -> str:
    info = next((one[name].get("claim_generator_info") for name in ("claim.v2", "claim") if name in one), None)
    info = info[0] if isinstance(info, list) and info else info
    return f"{info.get('name', '')} {info.get('version', '')}".strip() if isinstance(info, dict) else ""


def _no_manifest(kind: Kind) -> Text:
    return Text(
        zh=f"本系统不向 {kind.value} 文件写入 C2PA 清单：尚无独立的验证工具接受这种结果。",
        en=f"No C2PA manifest is written into {kind.value} files here: no independent verifier accepts the result.",
    )

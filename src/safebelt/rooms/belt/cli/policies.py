"""Commands about screening policies: read, check, bring into force, roll back."""

from pathlib import Path
from typing import Any

import msgspec
from cyclopts import App

from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.belt.cli.benign import measured, standing_told, teller
from safebelt.rooms.belt.cli.words import Reason, listed
from safebelt.rooms.belt.model import Adoption, Policy
from safebelt.rooms.belt.service import Belt, Loaded
from safebelt.web.terminal import NOT_EVALUATED, Answer


def add_to(app: App, belt: Belt) -> None:
    """Add `policies`."""
    group = App(name="policies", help="Screening policies. 筛查策略。")
    _reading(group, belt)
    _measuring(group, belt)
    _bringing(group, belt)
    app.command(group)


def _reading(app: App, belt: Belt) -> None:
    @app.command(name="list")
    def list_() -> Answer:
        """List the policies in force."""
        found = belt.policies()
        data = [{"id": p.id, "version": p.version, "digest": p.digest, "rules": len(p.rules)} for p in found]
        nothing = Text(zh="没有筛查策略。", en="There is no screening policy.")
        zh, en = ([f"{p.id}@{p.version}  {p.title.in_(lang)}  ({len(p.rules)})" for p in found] for lang in LANGS)
        return Answer(data=data, says=Text(zh="\n".join(zh) or nothing.zh, en="\n".join(en) or nothing.en))

    @app.command
    def show(policy: str, version: str = "") -> Answer:
        """Show one policy as it is in force, or a version that was: every rule, what it does and what it rests on."""
        found = belt.policy_version(policy, version) if version else belt.policy(policy)
        return Answer(data=_data(found), says=Text(**{lang: _told(found, lang) for lang in LANGS}))

    @app.command
    def check(file: Path, *, benign: Path | None = None) -> Answer:
        """Read a policy file and name everything that is wrong with it; exit 2 where something is.

        Parameters
        ----------
        benign
            A text file, one text a line, or a folder of text files, one text a file: how often each rule hits what
            should pass.
        """
        found = belt.check_policy(_content(file), file.stem, file.parent)
        says = Text(
            zh=f"{found.id}@{found.version}：{len(found.rules)} 条规则，格式无误。{_lists(found, 'zh')}",
            en=f"{found.id}@{found.version}: {len(found.rules)} rules, well-formed.{_lists(found, 'en')}",
        )
        if benign is None:
            return Answer(data=_data(found), says=says)
        return measured(found, benign, says)

    @app.command
    def versions(policy: str = "") -> Answer:
        """List what came into force, newest first: when, who brought it and why."""
        found = belt.policy_versions(policy)
        if policy and not found:
            belt.policy(policy)  # says so where there is none of that id
        lines = [
            f"{each.policy}@{each.version}  {each.digest[:12]}  {each.brought.value:<9}  "
            f"{each.at.isoformat(timespec='seconds')}  {each.by}  {each.reason}"
            for each in found
        ]
        nothing = Text(
            zh="还没有版本记录：安全带首次启动时记下文件夹中的规则。",
            en="No version is kept yet: the first start of the belt keeps those of the folder.",
        )
        return Answer(data=[_adoption_data(each) for each in found], says=listed(lines, nothing))


def _measuring(app: App, belt: Belt) -> None:
    @app.command(name="over-blocking")
    def over_blocking(policy: str, *, version: str = "", measure: bool = False) -> Answer:
        """Show how often each rule of POLICY hits benign texts; exit 3 where nobody has measured this version.

        Parameters
        ----------
        measure
            Measure now, on the texts of `screening/benign/` and `<home>/belt/benign/`, and keep the result.
        """
        found = belt.policy_version(policy, version) if version else belt.policy(policy)
        if measure:
            belt.measure_over_blocking(found, progress=teller())
        return standing_told(belt.over_blocking(found))


def _bringing(app: App, belt: Belt) -> None:
    @app.command
    def load(file: Path, *, reason: Reason) -> Answer:
        """Bring a policy file into force without a restart; exit 3 where it waits for a second person."""
        return _brought(belt.load_policy(_content(file), reason, by=OWNER, name=file.name, folder=file.parent))

    @app.command(name="roll-back")
    def roll_back(policy: str, *, reason: Reason, version: str = "") -> Answer:
        """Bring back the version before, or the one named; exit 3 where it waits for a second person."""
        return _brought(belt.roll_back_policy(policy, reason, by=OWNER, version=version))

    @app.command
    def second(proposal: str, *, reason: Reason) -> Answer:
        """Second PROPOSAL (prp_…), by which another person would change red lines."""
        made = belt.second_policy(proposal, answer=reason, by=OWNER)
        return Answer(data=_adoption_data(made), says=_in_force(made))


def _brought(loaded: Loaded) -> Answer:
    changes = [{"rule": each.rule, "says": _both(each.says), "weaker": each.is_weaker} for each in loaded.changes]
    data = {"policy": loaded.policy.id, "version": loaded.policy.version, "digest": loaded.policy.digest}
    if loaded.adoption is not None:
        return Answer(data=data | {"adoption": _adoption_data(loaded.adoption)}, says=_in_force(loaded.adoption))
    proposal = loaded.proposal
    waits = proposal.id if proposal else ""
    zh = "\n".join(f"  {each.rule}：{each.says.zh}" for each in loaded.changes)
    en = "\n".join(f"  {each.rule}: {each.says.en}" for each in loaded.changes)
    return Answer(
        data=data | {"proposal": waits, "red_lines": changes},
        says=Text(
            zh=f"改动红线，须由另一人同意：{waits}。原有版本继续有效。\n{zh}",
            en=f"It changes red lines, so another person must second it: {waits}. The version in force stays.\n{en}",
        ),
        exit_code=NOT_EVALUATED,
    )


def _in_force(made: Adoption) -> Text:
    return Text(
        zh=f"{made.policy}@{made.version} 已生效（{made.digest[:12]}，账本条目 {made.entry_id}）；"
        "运行中的安全带一秒内采用。",
        en=f"{made.policy}@{made.version} is in force ({made.digest[:12]}, ledger entry {made.entry_id}); "
        "a running belt takes it within a second.",
    )


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _adoption_data(made: Adoption) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.to_builtins(made)
    return data


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Invalid(
            what=Text(zh=f"无法读取 {file}：{error.strerror}。", en=f"Cannot read {file}: {error.strerror}."),
            hint=Text(zh="请检查路径。", en="Check the path."),
        ) from error


def _data(policy: Policy) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.to_builtins(policy)
    for rule in data["rules"]:
        rule["sides"] = sorted(rule["sides"])
    return data


def _told(policy: Policy, lang: Lang) -> str:
    house = Text(zh="内部规则", en="house rule").in_(lang)
    lines = [f"{policy.id}@{policy.version}  {policy.title.in_(lang)}", policy.appeal.in_(lang)]
    for rule in policy.rules:
        red = Text(zh="红线 ", en="red line ").in_(lang) if rule.is_red_line else ""
        basis = rule.basis.provision if rule.basis else house
        lines.append(f"  {rule.id}  {rule.action.value}  {red}{rule.title.in_(lang)}  ({basis})")
    passes = Text(zh="不经审查放行", en="passes unguarded").in_(lang)
    lines += [f"  {passes}  {'/'.join(each.methods)} {each.named}  {each.why.in_(lang)}" for each in policy.unguarded]
    return "\n".join(lines) + _lists(policy, lang)


def _lists(policy: Policy, lang: Lang) -> str:
    """Return a line for every word list of a policy: which rule, which file, how many terms, which digest."""
    terms = Text(zh="个词语，词表", en="terms of").in_(lang)
    return "".join(
        f"\n  {rule.id}  {of.terms} {terms} {of.file}{f' ({of.category})' if of.category else ''}  {of.sha256[:12]}"
        for rule in policy.rules
        if (of := rule.terms_file) is not None
    )

"""A tiny folder of law that is whole: one instrument, one amendment, its cases.  Tests break it in one place."""

from pathlib import Path

TINY: dict[str, str] = {
    "facts.yaml": """\
- id: system.is_ai
  subject: system
  type: yes_no
  label: {zh: 是人工智能, en: Is AI}
  question: {zh: 是人工智能吗？, en: Is it AI?}
  rank: 1
- id: use.purposes
  subject: system
  type: some_of
  label: {zh: 用途, en: Purposes}
  question: {zh: 用来做什么？, en: What is it for?}
  rank: 2
  groups: [{id: work, label: {zh: 工作, en: Work}}]
  options:
    - {id: hiring, label: {zh: 招聘, en: Hiring}, group: work}
    - {id: chat, label: {zh: 聊天, en: Chat}}
- id: scale.users
  subject: system
  type: number
  min: 0
  unit: people
  label: {zh: 用户数, en: Users}
  question: {zh: 有多少用户？, en: How many users?}
- id: party.size
  subject: party
  type: one_of
  label: {zh: 规模, en: Size}
  question: {zh: 多大？, en: How big?}
  options:
    - {id: small, label: {zh: 小, en: Small}}
    - {id: large, label: {zh: 大, en: Large}}
- id: incident.aware_on
  subject: incident
  type: date
  label: {zh: 知悉日, en: Day it was known}
  question: {zh: 何日知悉？, en: When was it known?}
- id: incident.kinds
  subject: incident
  type: some_of
  label: {zh: 事件种类, en: Kinds of incident}
  question: {zh: 发生了什么？, en: What happened?}
  options:
    - {id: death, label: {zh: 死亡, en: Death}}
""",
    "evidence.yaml": """\
- {id: event_logs, title: {zh: 日志, en: Event logs}, says: {zh: 运行事件。, en: Events.}}
""",
    "controls.yaml": """\
- id: log_retention
  title: {zh: 日志留存, en: Log retention}
  fields:
    - {name: months, type: number, unit: months, required: true, says: {zh: 最短月数。, en: Fewest months.}}
  read_by: [belt]
""",
    "eu/mini/instrument.yaml": """\
id: eu/mini
kind: law
jurisdiction: eu
title: {zh: 小法, en: The Mini Act}
short: {zh: 小法, en: Mini Act}
identifiers: [{scheme: NO, value: 7}]
authority: {zh: 议会, en: The parliament}
dates: {adopted: 2024-01-01, in_force: 2024-02-01}
standing: in_force
url: https://example.org/mini
language: en
basis: primary
classes:
  - id: banned
    title: {zh: 禁止, en: banned}
    says: {zh: 不得使用。, en: It must not be used.}
    bars: true
    when: {term: eu.mini.banned}
    cites: [eu/mini#art_1]
  - id: high
    title: {zh: 高, en: high}
    says: {zh: 风险高。, en: The risk is high.}
    when: {term: eu.mini.high}
""",
    "eu/mini/provisions.yaml": """\
- {eid: art_1, summary: {zh: 禁止招聘小公司。, en: Bans hiring by small firms.}, duty: true, basis: primary}
- {eid: art_2, summary: {zh: 要留日志。, en: Logs are kept.}, duty: true, basis: primary}
- {eid: art_3, summary: {zh: 要报告事件。, en: Incidents are reported.}, duty: true, basis: primary}
- eid: art_4
  summary: {zh: 机关要监督。, en: Authorities supervise.}
  duty: true
  no_norm: {zh: 只约束机关。, en: It binds authorities only.}
  basis: secondary
""",
    "eu/mini/facts.yaml": """\
- id: eu.watched
  subject: system
  type: yes_no
  label: {zh: 有人看着, en: It is watched}
  question: {zh: 有人看着吗？, en: Is it watched?}
""",
    "eu/mini/terms.yaml": """\
- id: eu.mini.banned
  title: {zh: 被禁止, en: Banned}
  when: {applies: [eu.mini.art_1]}
  basis: primary
  status: verified
- id: eu.mini.high
  title: {zh: 高风险, en: High risk}
  cites: [eu/mini#art_2]
  when:
    all:
      - {fact: system.is_ai, is: true}
      - {fact: use.purposes, includes_any: [hiring]}
      - any:
          - {fact: scale.users, at_least: {param: eu.mini.many}}
          - {fact: eu.mini.weight, at_least: 2}
  unless: {fact: eu.watched, is: true}
  basis: primary
  status: verified
""",
    "eu/mini/derived.yaml": """\
- id: eu.mini.weight
  title: {zh: 权重, en: Weight}
  type: number
  rows:
    - {when: {fact: party.size, is: large}, is: 2}
  otherwise: 1
  basis: primary
  status: verified
""",
    "eu/mini/parameters.yaml": """\
- id: eu.mini.many
  title: {zh: 多, en: Many}
  unit: people
  cites: [eu/mini#art_2]
  values: {2024-02-01: 1e3}
  basis: primary
  status: verified
""",
    "eu/mini/norms.yaml": """\
- id: eu.mini.art_1
  title: {zh: 小公司不得用来招聘, en: No hiring by small firms}
  must_not: {zh: 小公司不得用来招聘。, en: Small firms must not hire with it.}
  bearer: deployer
  cites: [eu/mini#art_1]
  in_force: {from: 2024-02-01}
  when:
    all:
      - {fact: party.size, is: small}
      - {fact: use.purposes, includes: hiring}
  red_line: true
  basis: primary
  status: verified
- id: eu.mini.art_2
  title: {zh: 保存日志, en: Keep logs}
  must: {zh: 保存日志。, en: Logs are to be kept.}
  bearer: provider
  cites: [eu/mini#art_2]
  in_force: {from: 2024-02-01, until: 2030-01-01}
  starts:
    - {when: {fact: eu.watched, is: true}, from: 2025-02-01, cites: [eu/mini#art_2]}
  when: {term: eu.mini.high}
  due: {always: true}
  evidence: [event_logs]
  controls: [{kind: log_retention, months: 6}]
  penalty: {zh: 罚款。, en: A fine., cites: [eu/mini#art_2]}
  basis: primary
  status: verified
  interpretation: {by: safebelt, on: 2026-11-22, status: unreviewed}
- id: eu.mini.art_3
  title: {zh: 报告事件, en: Report incidents}
  must: {zh: 十五日内报告。, en: Reports are due in 15 days.}
  bearer: provider
  cites: [eu/mini#art_3]
  in_force: {from: 2024-02-01}
  when: {fact: system.is_ai, is: true}
  upon: {fact: incident.kinds, includes: death}
  due: {within: 15 days, after: {fact: incident.aware_on}}
  basis: recalled
  status: unverified
- id: eu.mini.art_2.spared
  title: {zh: 聊天豁免, en: Chat is spared}
  exempt: {zh: 只聊天的不用保存日志。, en: Chat alone needs no logs.}
  bearer: provider
  cites: [eu/mini#art_2]
  in_force: {from: 2024-02-01}
  when: {fact: use.purposes, includes: chat}
  overrides: [eu.mini.art_2]
  basis: primary
  status: verified
""",
    "eu/mini/cases.yaml": """\
on: 2026-01-15
bases:
  big: {facts: {system.is_ai: true, use.purposes: [hiring], party.size: large, scale.users: 5, eu.watched: false}}
  small: {from: big, facts: {party.size: small}}
cases:
  - norms: [eu.mini.art_2]
    yes: {from: big}
    no: {from: big, facts: {use.purposes: [hiring, chat]}}
    unknown: {from: big, without: [system.is_ai]}
  - norms: [eu.mini.art_1]
    on: 2025-01-15
    yes: {from: small}
    no: {from: big}
    unknown: {from: big, without: [party.size]}
  - norms: [eu.mini.art_1]
    yes: {from: small, facts: {eu.watched: false}}
    no: {from: small, facts: {eu.watched: true}}
    unknown: {from: small, without: [eu.watched]}
  - norms: [eu.mini.art_3]
    yes: {from: big}
    no: {from: big, facts: {system.is_ai: false}}
    unknown: {}
  - norms: [eu.mini.art_2.spared]
    yes: {facts: {use.purposes: [chat]}}
    no: {from: big}
    unknown: {}
  - classes: [eu/mini.banned]
    yes: {from: small}
    no: {from: big}
    unknown: {from: big, without: [party.size]}
  - classes: [eu/mini.high]
    yes: {from: big}
    no: {from: small}
    unknown: {from: big, without: [use.purposes]}
  - says: {zh: 两者都中，取最严, en: Both hold; the strictest counts}
    given: {from: small, facts: {scale.users: 1.0e+3}}
    expect: {eu.mini.art_2: applies, eu/mini: banned, eu/mini.high: applies}
""",
    "eu/mini/amendments/2025-1.yaml": """\
id: eu/mini@2025-1
title: {zh: 修改, en: Amendment}
instrument: eu/mini
standing: enacted
effective: 2025-07-01
basis: primary
changes:
  - amend_norm: [eu.mini.art_1]
    set:
      when:
        all:
          - {fact: party.size, is: small}
          - {fact: use.purposes, includes: hiring}
          - {fact: eu.watched, is: false}
      penalty: null
    why: {zh: 有人看着就行。, en: It is enough that somebody watches.}
    cites: [Article 1 of the amending act]
  - amend_provision: art_1
    set: {summary: {zh: 新的第一条。, en: The new Article 1.}}
  - set_parameter: eu.mini.many
    values: {2025-07-01: 900}
""",
}  # fmt: skip


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write the files of a folder of law."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def changed(name: str, old: str, new: str) -> dict[str, str]:
    """The tiny law with one place changed."""
    assert old in TINY[name], f"{old!r} is not in {name}"
    return {**TINY, name: TINY[name].replace(old, new, 1)}


def line_of(text: str, part: str) -> int:
    """The line, from 1, in which a part of a text begins."""
    return text[: text.index(part)].count("\n") + 1

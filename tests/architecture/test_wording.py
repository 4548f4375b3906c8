"""Both languages, or it is not done; and nobody is told that they are compliant or approved."""

import re

import pytest
from tests.architecture.house import SRC, module_name, sources, templates
from tests.architecture.wording import text_faults, wording_faults


def test_there_are_templates_to_look_at() -> None:
    assert len(templates()) > 5


@pytest.mark.parametrize("path", templates(), ids=lambda path: str(path.relative_to(SRC)))
def test_a_template_says_everything_in_both_languages(path) -> None:
    assert wording_faults(path.read_text()) == []


@pytest.mark.parametrize(
    "template",
    [
        "<p>Hello there</p>", "<p>您好</p>", "{{ t('登记') }}", "{{ t('Register', '登记') }}", "{{ t('登记', '') }}", "{{ t('', 'x') }}",
        "{{ t('登记', 'Register', 1) }}", '<img alt="A dog">', '<input placeholder="姓名">', "{{ ui.button('提交') }}",
        "{% if x %}Yes indeed{% endif %}", "{{ t('登记', '登记') }}", "<a href='/' aria-label='Close'></a>",
        "{% macro m() %} aria-label='Close'{% endmacro %}",
    ],
)  # fmt: skip
def test_wording_in_one_language_is_found(template) -> None:
    assert wording_faults(template)


@pytest.mark.parametrize(
    "template",
    [
        "<p>{{ t('登记', 'Register') }}</p>", "<p>{# a note #}</p>", "<code>GET /api</code>", "<b>Safebelt</b> · 42 %", "{{ name }}",
        "<script>let a = 1</script>", "{{ ui.button(t('提交', 'Submit'), kind='primary') }}", '<p class="govuk-body">1</p>',
        "{{ t('共 ' ~ n ~ ' 条', n ~ ' entries') }}", "<p>{{ x | join(t('、', ', ')) }}</p>", "<a hreflang='zh'>中文</a>",
        "{% macro m() %} aria-describedby='hint'{% endmacro %}",
    ],
)  # fmt: skip
def test_wording_in_both_languages_is_left_alone(template) -> None:
    assert wording_faults(template) == []


def test_every_text_in_the_code_says_something_in_both_languages() -> None:
    assert {module_name(p): faults for p in sources() if (faults := text_faults(p.read_text()))} == {}


@pytest.mark.parametrize(
    "source",
    ["Text(zh='登记', en='')", "Text(zh='Register', en='Register it')", "Text(zh='登')", "Text(zh='登', en='登记')"],
)
def test_a_text_in_one_language_is_found(source) -> None:
    assert text_faults(source)


def test_a_text_in_both_languages_a_name_and_a_passed_on_text_are_left_alone() -> None:
    assert (
        text_faults("Text(zh='登记', en='Register')\nText(zh='JSON', en='JSON')\nText(zh=f'{a}', en=b)\nText(**both)")
        == []
    )


# Invariant 14: Safebelt says who vouches, and never that somebody is in order.
VERDICTS = re.compile(r"\b(?:is|are|fully|now) (?:compliant|approved)\b|合规通过|已合规|审批通过|已批准", re.IGNORECASE)


def test_nothing_shown_ever_says_compliant_or_approved() -> None:
    shown = [*templates(), *sources()]

    assert {str(p.relative_to(SRC)) for p in shown if VERDICTS.search(p.read_text())} == set()


@pytest.mark.parametrize("text", ["This system is compliant.", "该系统已合规", "is approved"])
def test_a_verdict_of_compliance_is_found(text) -> None:
    assert VERDICTS.search(text)

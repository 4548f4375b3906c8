"""Synthetic systems for a register: names and purposes as people write them, in Chinese and English, by seed.

Words are drawn from vocabularies: the trades, functions and data of AI systems (written for this measurement), and the
words of the house's own law (`law/`, its facts' labels), so that common words are common and rare ones rare (Zipf).
Names of parties are invented.  Nobody's real data.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

ROOT = Path(__file__).parent.parent
FIELDS = (
    ("招聘", "recruitment"), ("信贷", "lending"), ("医疗影像", "medical imaging"), ("政务服务", "public services"),
    ("课堂教学", "classroom teaching"), ("智能客服", "customer service"), ("交通调度", "traffic control"),
    ("电力巡检", "power line inspection"), ("司法文书", "court documents"), ("税务稽查", "tax inspection"),
    ("保险理赔", "insurance claims"), ("内容推荐", "content recommendation"), ("语音合成", "speech synthesis"),
    ("人脸门禁", "face recognition access"), ("舆情分析", "opinion analysis"), ("药物研发", "drug discovery"),
    ("仓储物流", "warehouse logistics"), ("农作物监测", "crop monitoring"), ("机器翻译", "machine translation"),
    ("代码生成", "code generation"), ("质量检测", "quality inspection"), ("反欺诈", "fraud detection"),
    ("养老陪护", "elderly companionship"), ("自动驾驶", "automated driving"), ("福利资格", "benefit eligibility"),
    ("警务研判", "police analysis"), ("边检通关", "border control"), ("图像生成", "image generation"),
    ("心理咨询", "mental health counselling"), ("天气预报", "weather forecasting"),
)  # fmt: skip
KINDS = (
    ("助手", "assistant"), ("模型", "model"), ("系统", "system"), ("平台", "platform"), ("引擎", "engine"),
    ("评分卡", "scorecard"), ("机器人", "robot"), ("智能体", "agent"), ("工具", "tool"), ("服务", "service"),
)  # fmt: skip
DEEDS = (
    ("根据申请材料给出建议，由工作人员决定", "Suggests a decision from the application; an officer decides"),
    ("回答公众提出的问题，并转接人工", "Answers questions of the public and hands over to a person"),
    ("识别图像中的异常，交专业人员复核", "Detects anomalies in images, which a specialist reviews"),
    ("对请求排序，优先处理紧急事项", "Ranks requests so that urgent matters are handled first"),
    ("生成文字初稿，由编辑修改后发布", "Drafts text that an editor corrects before it is published"),
    ("预测未来一周的需求，安排班次", "Forecasts the demand of the coming week and plans the shifts"),
    ("核验来访人员的身份", "Verifies the identity of visitors"),
    ("从录音中提取要点，形成记录", "Extracts the main points of a recording and makes minutes"),
)
PLACES = (
    ("华东", "Eastern"), ("西南", "Southwestern"), ("滨海", "Coastal"), ("长宁", "Changning"), ("北岭", "Northridge"),
    ("Noordwijk", "Noordwijk"), ("曼彻斯特", "Manchester"), ("江城", "Rivertown"), ("青原", "Qingyuan"),
    ("Utrecht", "Utrecht"),
)  # fmt: skip
TRADES = (
    ("科技", "Technologies"),
    ("数据", "Data"),
    ("智能", "Intelligence"),
    ("软件", "Software"),
    ("研究院", "Institute"),
)


def vocabulary() -> tuple[list[str], list[str]]:
    """Return words and phrases of our own law, zh and en, in the order in which they first stand there."""
    zh: dict[str, None] = {}
    en: dict[str, None] = {}
    for path in sorted((ROOT / "law").rglob("*.yaml")):
        text = path.read_text("utf-8")
        zh |= dict.fromkeys(re.findall(r"[\u4e00-\u9fff]{2,6}", text))
        en |= dict.fromkeys(word.lower() for word in re.findall(r"[A-Za-z]{4,16}", text))
    return list(zh), list(en)


class Register:
    """A synthetic register.

    Args:
        seed: The same seed draws the same.
    """

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)
        self.zh, self.en = vocabulary()

    def parties(self, count: int) -> list[str]:
        """Return names of invented parties."""
        draw = self._chance
        return [
            f"{draw.choice(PLACES)[0]}{draw.choice(self.zh)[:2]}{draw.choice(TRADES)[0]}有限公司" for _ in range(count)
        ]

    def systems(self, count: int) -> Iterator[tuple[str, str, str, str]]:
        """Yield names and purposes: zh, en, zh, en; about two hundred characters together."""
        for number in range(count):
            yield self._system(number)

    def _rare(self, words: list[str]) -> str:
        """A word, the early ones much more often (Zipf's law, by a power of a uniform draw)."""
        return words[int(len(words) * self._chance.random() ** 3)]

    def _system(self, number: int) -> tuple[str, str, str, str]:
        draw = self._chance
        field, kind, deed, place = (draw.choice(each) for each in (FIELDS, KINDS, DEEDS, PLACES))
        zh, en = ([self._rare(words) for _ in range(3)] for words in (self.zh, self.en))
        model = f"{draw.choice('ABCDEFGH')}{number % 9973}"
        return (
            f"{place[0]}{field[0]}{kind[0]} {model}",
            f"{place[1]} {field[1]} {kind[1]} {model}",
            f"用于{field[0]}：{deed[0]}。涉及{zh[0]}、{zh[1]}和{zh[2]}。",
            f"For {field[1]}. {deed[1]}. Concerns {en[0]}, {en[1]} and {en[2]}.",
        )

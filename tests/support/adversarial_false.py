"""What a true claim becomes: each mutation makes it false, or false to its citation. None where it can't be surely."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from tests.support.adversarial_leads import Company
from tests.support.adversarial_true import NUMBERS, PLACES, Draft, headcount_said, money_said
from tests.support.adversarial_words import EMBELLISHED

Mutation = Callable[[Draft, Company, random.Random], Draft | None]
NUMBER: Final = re.compile(r"\d[\d,.]*\d|\d")
MONEY: Final = ("funding_amount", "revenue", "budget")
CONTRADICTED: Final = "contradicted"
NEAR: Final = {
    "Salesforce": "Salesforge",
    "Marketo": "Marketa",
    "GitHub": "GitLab",
    "GitLab": "GitHub",
    "HubSpot": "HubSport",
    "Jira": "Jiro",
    "Slack": "Slick",
    "Okta": "Opta",
    "Tableau": "Tablo",
    "Epic": "Epoc",
    "Splunk": "Spunk",
    "Workday": "Workdays HR",
    "Stripe": "Strife",
    "Azure": "Azura",
    "Notion": "Motion",
    "Twilio": "Trulio",
    "Austin": "Boston",
    "Munich": "Zurich",
    "Lyon": "Leon",
    "Bergen": "Bremen",
    "Dublin": "Lublin",
    "Dresden": "Menden",
    "Osaka": "Otaru",
    "Toronto": "Torino",
    "Pipedrive": "Pipefy",
    "Ivalua": "Ivanti",
    "Calendly": "Calendar",
    "LeanData": "LeadData",
    "Klaviyo": "Klarna",
    "Project44": "Project45",
    "Hyperscience": "Hyperconnect",
    "Luma Health": "Lumen Health",
    "PalletPilot X2": "PalletPilot X3",
    "FräsPro 500": "FräsPro 5000",
    "TriageOne": "TriageTwo",
    "FlexCover": "FlexiCover",
    "ColdTrack": "GoldTrack",
    "Verdure": "Verdura",
    "QX-90": "QX-99",
    "SunLedger": "SunLender",
    "Controls Engineer": "Control Room Engineer",
    "Account Executive": "Account Manager",
    "Data Scientist": "Data Architect",
    "Security Engineer": "Safety Engineer",
    "Claims Adjuster": "Claims Analyst",
    "Java Developer": "JavaScript Developer",
    "Data Analyst": "Data Engineer",
    "Process Engineer": "Project Engineer",
    "Solar Installer": "Solar Inspector",
    "Growth Marketer": "Growth Hacker",
    "Servicetechniker": "Servicetester",
    "Yield Analyst": "Field Analyst",
}
NEAR_COMPANY: Final = {
    "Halvorsen": "Halverson",
    "Bergblick": "Bergglück",
    "Lumora": "Lumina",
    "Corsair": "Corsica",
    "Tidewater": "Tidewell",
    "Mistral": "Minstrel",
    "Quantel": "Quantum",
    "Fjordkraft": "Fjordkraut",
}
OTHER: Final[dict[str, tuple[tuple[Any, str], ...]]] = {
    "industry": (("hospitality", "hospitality"), ("education", "education"), ("agriculture", "agriculture")),
    "country": (("BR", "Brazil"), ("AU", "Australia"), ("IT", "Italy")),
    "location": (("Singapore", "Singapore"), ("Chicago", "Chicago"), ("Warsaw", "Warsaw")),
    "technology": (("Databricks", "Databricks"), ("NetSuite", "NetSuite"), ("Kafka", "Kafka")),
    "funding_stage": (("Series C", "Series C"), ("Series E", "Series E")),
    "hiring": (("Chief Legal Counsel", "Chief Legal Counsel"), ("Nurse", "Nurse")),
    "product_launch": (("Orbit 3000", "Orbit 3000"), ("Nimbus", "Nimbus")),
    "use_case": (("payroll processing", "The prospect wants to automate payroll processing."),),
    "competitor": (("Gong", "The prospect is also evaluating Gong."), ("Zapier", "They want to replace Zapier.")),
    "timeline": (("immediately", "They want to go live immediately."), ("Q4 2028", "They plan to go live in Q4 2028.")),
    "budget": (("$2 million", "The prospect has a budget of $2 million."), (7_777, "The budget is $7,777.")),
    "buying_signal": (("purchase request", "The prospect is ready to sign a contract."),),
}
LEVELS: Final = {
    "vp": "manager",
    "director": "individual",
    "c_level": "manager",
    "manager": "c_level",
    "individual": "vp",
}
CARRIERS: Final = ("industry", "city", "technologies", "funding_stage", "founded_year", "headcount")


def off_by_one(draft: Draft, company: Company, chance: random.Random) -> Draft | None:
    """An exact number, one more or less."""
    step = chance.choice((1, -1))
    if draft.field == "timeline":
        return _other_time(
            draft, {"Q1 2027": "Q2 2027", "January 2027": "February 2027", "1 February 2027": "2 February 2027"}
        )
    if not isinstance(draft.value, int) or draft.field not in ("headcount", "founded_year", "hiring"):
        return None
    if "about" in draft.statement or draft.value + step < 1:
        return None
    return _renumbered(draft, draft.value, draft.value + step)


def magnitude(draft: Draft, company: Company, chance: random.Random) -> Draft | None:
    """Ten times as much, or a tenth."""
    factor = chance.choice((10, 100, 0.1))
    if not isinstance(draft.value, int) or draft.field not in ("headcount", *MONEY):
        return None
    made = int(draft.value * factor) if draft.value * factor >= 1 else draft.value * 10
    said = f"{made:,}" if draft.field == "headcount" else money_said(made, chance)
    return _restated(draft, made, said)


def unit(draft: Draft, company: Company, chance: random.Random) -> Draft | None:
    """Millions for billions, thousands of people, weeks for months, per cent for a count."""
    swaps = (
        (" million", " billion"),
        ("M ", "B "),
        ("M.", "B."),
        (" months", " weeks"),
        (" employees", " thousand employees"),
        (" people", " million people"),
        ("k.", "M."),
        ("k ", "M "),
        (",000,000", ",000"),
        ("three months", "three weeks"),
    )
    if draft.field not in ("headcount", "timeline", *MONEY):
        return None
    return _swapped(draft, swaps, chance, value=None)


def currency(draft: Draft, company: Company, chance: random.Random) -> Draft | None:
    """The same number in another currency."""
    if draft.field not in MONEY:
        return None
    swaps = (
        ("$", "€"),
        ("€", "£"),
        ("£", "$"),
        (" euros", " dollars"),
        ("EUR", "CHF"),
        ("US dollars", "pounds"),
        ("GBP", "JPY"),
        ("USD", "EUR"),
    )
    value = draft.value if isinstance(draft.value, int) or chance.random() < 0.5 else None
    return _swapped(draft, swaps, chance, value=value)


def near_name(draft: Draft, company: Company, chance: random.Random) -> Draft | None:
    """A name that is nearly the right one."""
    known = [name for name in NEAR if name in draft.statement and NEAR[name] not in str(company)]
    if not known:
        return None
    name = max(known, key=len)
    return _exchanged(draft, name, NEAR[name])


def near_company(draft: Draft, company: Company, chance: random.Random) -> Draft | None:
    """The fact of this company told of another, whose name is nearly the same."""
    name = next((name for name in NEAR_COMPANY if name in draft.statement), None)
    if name is None:
        return None
    return replace(draft, statement=draft.statement.replace(name, NEAR_COMPANY[name]))


def negation(draft: Draft, company: Company, chance: random.Random) -> Draft | None:
    """The statement denies what the evidence says; a denied budget is affirmed."""
    if draft.value in ("none", "no budget"):
        said = chance.choice(("A budget has been approved.", "The prospect has an approved budget."))
        return replace(draft, value="approved", statement=said, citations=_unquoted(draft), label=CONTRADICTED)
    if draft.field == "technology_absent":
        said = f"{company.said[0]} uses {draft.value}."
        return replace(draft, field=chance.choice(("technology", "technology_absent")), statement=said)
    swaps = (
        (" is ", " is not "),
        (" has ", " does not have "),
        (" uses ", " does not use "),
        (" are ", " are not "),
        (" was ", " was not "),
        (" wants ", " does not want "),
        (" want ", " do not want "),
        (" employs ", " no longer employs "),
        (" would like ", " would not like "),
        (" operates ", " doesn't operate "),
        (" works ", " never works "),
        (" launched ", " has not launched "),
        (" asks ", " does not ask "),
        (" must ", " must not "),
        (" should ", " should not "),
    )
    made = _swapped(draft, swaps, chance, value=draft.value)
    return made and replace(made, label=CONTRADICTED)


def stale_date(draft: Draft, company: Company, chance: random.Random) -> Draft | None:
    """What was true two years ago, or is said to be of another time."""
    if draft.field == "timeline" and chance.random() < 0.5:
        said = chance.choice(("They want to go live next month.", "The prospect plans to go live within a month."))
        return replace(draft, value="next month", statement=said, citations=((PLACES["posts"], None),))
    if draft.field in ("timeline", "founded_year"):
        years = re.findall(r"20\d\d|19\d\d", draft.statement)
        if not years or "between" in draft.statement:
            return None
        other = str(int(years[0]) - 2)
        value = str(draft.value).replace(years[0], other)
        text = draft.statement.replace(years[0], other)
        return replace(
            draft, value=int(value) if value.isdigit() else value, statement=text, citations=_unquoted(draft)
        )
    if draft.field == "product_launch":
        when = chance.choice((" in March 2023", " two years ago", " in 2021", " in Q2 2024"))
        return replace(draft, statement=draft.statement.rstrip(".") + when + ".")
    return None


def wrong_citation(draft: Draft, company: Company, chance: random.Random) -> Draft | None:
    """Right, but cited from a piece that does not say it."""
    related = {"city": ("city", "country"), "country": ("country",)}.get(draft.signal, (draft.signal,))
    signal = chance.choice([name for name in CARRIERS if name not in related])
    return replace(draft, citations=((PLACES[signal], None),))


def other_quote(draft: Draft, company: Company, chance: random.Random) -> Draft | None:
    """Right and rightly cited, but the quote stands in another piece."""
    quotes = {
        "technologies": company.technologies[0],
        "news": company.news[0],
        "title": company.title[0],
        "founded_year": str(company.founded),
        "city": company.city[0],
    }
    signal = chance.choice([name for name in quotes if name != draft.signal])
    quote = quotes[signal]
    if draft.signal in ("message", "news", "job_postings") and signal == "city":
        return None
    return replace(draft, citations=((PLACES[draft.signal], quote),))


def invented_id(draft: Draft, company: Company, chance: random.Random) -> Draft | None:
    """Evidence that is not there, alone or beside the right one."""
    name = chance.choice(("E99", "E0", "E3b", "0198a2b4-1111-7abc-8def-001122334455", "e3", "Evidence 3"))
    real = draft.citations if chance.random() < 0.5 else ()
    return replace(draft, citations=(*real, (name, None)))


def false_join(draft: Draft, company: Company, chance: random.Random) -> Draft | None:
    """A second half that no evidence knows."""
    return replace(draft, statement=draft.statement.rstrip(".") + chance.choice(EMBELLISHED) + ".")


def true_halves(draft: Draft, company: Company, chance: random.Random) -> Draft | None:
    """Two facts that are both there, joined to one that is not."""
    name, office, rival = company.said[0], company.office[0], _rival(company)
    joined = {
        "headcount": (f"{name} has {headcount_said(company)} employees in {office}.", ("headcount", "news")),
        "funding_amount": (
            f"{name} raised {money_said(company.funding, chance)} in {company.founded}.",
            ("funding_total", "founded_year"),
        ),
        "technology": (f"{name} uses {draft.value} at its {office} site.", ("technologies", "news")),
        "product_launch": (f"{name} launched {company.launch[0]} in {office}.", ("news",)),
        "hiring": (f"{name} is hiring a {company.roles[0][0]} in {office}.", ("job_postings", "news")),
        "founded_year": (f"{name} was founded in {company.founded} in {office}.", ("founded_year", "news")),
        "location": (f"{name} is headquartered in {office}.", ("city", "news")),
        "competitor": (f"The prospect has a budget for {rival}.", ("message",)),
        "seniority": (f"The contact is a {draft.value} in {office}.", ("title", "news")),
        "timeline": (f"They plan to launch {company.launch[0]} {draft.value}.", ("message", "news")),
    }
    if draft.field not in joined or (draft.field == "technology" and isinstance(draft.value, list)):
        return None
    text, signals = joined[draft.field]
    value = office if draft.field == "location" else draft.value
    return replace(draft, value=value, statement=text, citations=tuple((PLACES[one], None) for one in signals))


def other_value(draft: Draft, company: Company, chance: random.Random) -> Draft | None:
    """Another value of the kind."""
    if draft.field == "seniority":
        level = LEVELS[draft.value]
        return replace(draft, value=level, statement=f"The contact is at {level} level.", label=CONTRADICTED)
    if draft.field not in OTHER:
        return None
    value, said = chance.choice(OTHER[draft.field])
    if said.endswith("."):
        return replace(
            draft, value=None if draft.field == "buying_signal" else value, statement=said, citations=_unquoted(draft)
        )
    texts = [text for text in _names_of(draft, company) if text in draft.statement]
    if not texts:
        return None
    statement = draft.statement.replace(max(texts, key=len), said)
    return replace(draft, value=value, statement=statement, citations=_unquoted(draft), label=CONTRADICTED)


def overstated(draft: Draft, company: Company, chance: random.Random) -> Draft | None:
    """A bound or a span that the number does not keep."""
    size = {"headcount": company.headcount, "founded_year": company.founded, "funding_amount": company.funding}.get(
        draft.field
    )
    if not isinstance(size, int) or not size:
        return None
    if draft.field == "founded_year":
        span = chance.choice((f"before {size - 3}", f"after {size + 2}", f"between {size + 1} and {size + 6}"))
        return replace(
            draft, value=span, statement=f"{company.said[0]} was founded {span}.", citations=_unquoted(draft)
        )
    money = "$" if draft.field == "funding_amount" else ""
    bounds = (
        f"over {money}{size * 2:,}",
        f"fewer than {money}{size // 2:,}",
        f"between {money}{size * 2:,} and {money}{size * 3:,}",
    )
    said = chance.choice(bounds)
    text = f"{company.said[0]} has raised {said}." if money else f"{company.said[0]} has {said} employees."
    return replace(draft, value=said, statement=text, citations=_unquoted(draft), label=CONTRADICTED)


def other_kind(draft: Draft, company: Company, chance: random.Random) -> Draft | None:
    """The number of one fact as that of another."""
    if draft.field == "headcount":
        text = f"{company.said[0]} has {company.founded} employees."
        return replace(draft, value=company.founded, statement=text, citations=((PLACES["founded_year"], None),))
    if draft.field == "revenue" and company.funding:
        text = f"{company.said[0]} has an annual revenue of ${company.funding:,}."
        return replace(draft, value=company.funding, statement=text, citations=((PLACES["funding_total"], None),))
    if draft.field == "competitor":
        product = company.technologies[0]
        text = f"The prospect wants to replace {product}."
        return replace(draft, value=product, statement=text, citations=((PLACES["technologies"], None),))
    return None


def hedged_half(draft: Draft, company: Company, chance: random.Random) -> Draft | None:
    """A hedge that hides a claim."""
    if draft.field not in ("revenue", "headcount", "funding_amount", "budget"):
        return None
    names = {"revenue": "Revenue", "headcount": "The headcount", "funding_amount": "Funding", "budget": "The budget"}
    said = chance.choice(
        ("but certainly exceeds 90 million", "but is far above that of its peers", "but is at least 7,000")
    )
    return replace(draft, value=None, statement=f"{names[draft.field]} is not disclosed, {said}.")


MUTATIONS: Final[dict[str, Mutation]] = {
    one.__name__: one
    for one in (
        off_by_one,
        magnitude,
        unit,
        currency,
        near_name,
        near_company,
        negation,
        stale_date,
        wrong_citation,
        other_quote,
        invented_id,
        false_join,
        true_halves,
        other_value,
        overstated,
        other_kind,
        hedged_half,
    )
}


def _unquoted(draft: Draft) -> tuple[tuple[str, str | None], ...]:
    return tuple((name, None) for name, _ in draft.citations)


def _renumbered(draft: Draft, old: int, new: int) -> Draft | None:
    """The number exchanged wherever it stands, in digits or as a word."""
    forms = {f"{old:,}": f"{new:,}", str(old): str(new)}
    if max(old, new) < len(NUMBERS):
        forms[NUMBERS[old]] = NUMBERS[new]
    form = next((form for form in forms if re.search(rf"(?<!\w){re.escape(form)}(?!\w)", draft.statement)), None)
    if form is None:
        return None
    text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", forms[form], draft.statement)
    return replace(draft, value=new, statement=text, citations=_unquoted(draft), label=CONTRADICTED)


def _restated(draft: Draft, value: Any, said: str) -> Draft | None:
    match = re.search(
        r"(?:[$€£]\s?)?\d[\d,.]*(?:\s?(?:million|billion|[kMB])\b)?(?:\s(?:US dollars|euros))?", draft.statement
    )
    if match is None:
        return None
    text = draft.statement[: match.start()] + said + draft.statement[match.end() :]
    text = text if text.endswith(".") else f"{text}."
    return replace(draft, value=value, statement=text, citations=_unquoted(draft), label=CONTRADICTED)


def _swapped(draft: Draft, swaps: tuple[tuple[str, str], ...], chance: random.Random, *, value: Any) -> Draft | None:
    """The first of the swaps that the statement has room for."""
    found = next(((old, new) for old, new in swaps if old in draft.statement), None)
    if found is None:
        return None
    return replace(draft, value=value, statement=draft.statement.replace(*found, 1))


def _exchanged(draft: Draft, old: str, new: str) -> Draft:
    items = draft.value if isinstance(draft.value, list) else [draft.value]
    changed = [item.replace(old, new) if isinstance(item, str) else item for item in items]
    value = changed if isinstance(draft.value, list) else changed[0]
    return replace(draft, value=value, statement=draft.statement.replace(old, new), citations=_unquoted(draft))


def _other_time(draft: Draft, times: dict[str, str]) -> Draft | None:
    old = str(draft.value)
    if old not in times or old not in draft.statement:
        return None
    return replace(_exchanged(draft, old, times[old]), label=CONTRADICTED)


def _names_of(draft: Draft, company: Company) -> tuple[str, ...]:
    own = {
        "industry": (company.industry[0], company.industry[1]),
        "country": (company.country[1],),
        "location": (
            f"{company.city[1]}, {company.country[1].removeprefix('the ')}",
            company.city[1],
            company.office[0],
        ),
        "technology": company.technologies,
        "product_launch": (company.launch[0],),
        "hiring": tuple(name for role in company.roles for name in (role[0], role[2])),
        "funding_stage": (company.stage, company.stage.lower().replace("series a", "Series A")),
    }
    return own.get(draft.field, ())


def _rival(company: Company) -> str:
    value = company.competitor.value
    return str(value[0] if isinstance(value, list) else value)

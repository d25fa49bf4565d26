"""How the fake model words its claims, and by which words it knows a wish to buy."""

from __future__ import annotations

import re
from typing import Final

WORDINGS: Final[dict[str, tuple[str, ...]]] = {
    "industry": (
        "{company} operates in the {value} industry.",
        "{company} is active in {value}.",
        "The industry of {company} is {value}.",
        "{company} is listed under {value}.",
    ),
    "headcount": (
        "{company} has {value} employees.",
        "{company} employs {value} people.",
        "The headcount of {company} is {value}.",
        "There are {value} people on staff at {company}.",
    ),
    "country": (
        "{company} is based in {value}.",
        "{company} is located in {value}.",
        "The company is headquartered in {value}.",
    ),
    "technology": (
        "{company} uses {value}.",
        "The tech stack of {company} includes {value}.",
        "{value} is among the tools that {company} uses.",
    ),
    "funding_stage": (
        "{company} is at the {value} stage of funding.",
        "The latest funding stage of {company} is {value}.",
        "The last funding round was {value}.",
    ),
    "funding_amount": (
        "{company} has raised {value} in total.",
        "{company} received {value} of funding.",
        "The total funding of {company} is {value}.",
    ),
    "revenue": (
        "{company} has an annual revenue of {value}.",
        "The yearly revenue of {company} is {value}.",
        "Annual sales are {value}.",
    ),
    "founded_year": (
        "{company} was founded in {value}.",
        "{company} has existed since {value}.",
        "The company was established in {value}.",
    ),
    "location": (
        "{company} is based in {value}.",
        "{company} has its headquarters in {value}.",
        "The company is located in the city of {value}.",
    ),
    "hiring": (
        "{company} has {value} open positions.",
        "{company} lists {value} job openings.",
        "There are {value} open roles at {company}.",
    ),
    "seniority": (
        "The sender works at {value} level.",
        "The lead holds a position at {value} level.",
        "By title, this is a {value} role.",
    ),
    "pricing": (
        "The lead asks for pricing.",
        "The message asks about pricing.",
        "The sender wants pricing.",
    ),
    "demo": ("The lead asks for a demo.", "The sender wants a demo.", "A demo is requested in the message."),
    "budget": ("The lead mentions a budget.", "The message mentions a budget for this purchase."),
    "timeline": ("The lead mentions a timeline.", "The message names a timeline."),
    "trial": ("The lead asks for a trial.", "The sender requests a proof of concept."),
    "purchase request": ("The lead is ready to sign a contract.", "The sender says that a purchase order is ready."),
}
PLANS: Final[dict[str, tuple[str, ...]]] = {
    "budget": ("The lead has an approved budget of {value}.", "The budget for this project is {value}."),
    "timeline": ("The lead wants to go live in {value}.", "The rollout is planned for {value}."),
    "competitor": ("The lead is also evaluating {value}.", "The sender wants to replace {value}."),
    "use_case": ("The lead wants to automate {value}.", "The use case is {value}."),
    "product_launch": ("{company} launched {value}.", "{company} recently introduced {value}."),
}
"""Plans, as the model words those that it makes up."""
ASKS: Final[dict[str, re.Pattern[str]]] = {
    "pricing": re.compile(r"(?i)\b(?:pricing|prices?|quote|quotation|how much|costs?|angebot|preise?)\b"),
    "demo": re.compile(r"(?i)\b(?:demos?|demonstration|walkthrough|vorführung|produktdemo)\b"),
    "budget": re.compile(r"(?i)\bbudget(?:ed)?\b"),
    "timeline": re.compile(
        r"(?i)\b(?:timeline|this quarter|next quarter|this month|next month|asap|as soon as possible|"
        r"urgent(?:ly)?|go live|dieses quartal|nächstes quartal)\b"
    ),
}
INVENTED_SIGNALS: Final = ("trial", "purchase request", "demo", "pricing")

"""With a model: the offer is in the prompt, the answer is grounded, the profile is the offer's."""

from __future__ import annotations

import asyncio
import csv
import io
from pathlib import Path

import orjson

from revenueflow.db import offers
from revenueflow.devserver import environment
from revenueflow.devserver.secrets import Secrets
from tests.support.api import IDENTITY
from tests.support.cli import run
from tests.support.house import House

HEADER = "lead_id,name,email,role,company,industry,linkedin_bio,source,company_size"
OFFER = {
    "name": "Zyxroute", "value_propositions": ["a third less distance"], "ideal_use_cases": ["fleets"],
    "profile": "dual_layer",
}  # fmt: skip


def variables(home: House, folder: Path) -> dict[str, str]:
    (folder / "identity.key").write_text(IDENTITY.hex())
    secrets = Secrets({}, dict.fromkeys(("marketo", "hubspot", "lead"), "secret"), IDENTITY.hex())
    backends = {"DATABASE_URL": home.urls.app_url, "REDIS_URL": home.settings.redis.url}
    given = environment.of_process(folder, secrets, backends, "http://127.0.0.1:1")
    return given | environment.of_sandbox(home.sandbox.urls)


async def test_a_file_is_analysed_by_the_model_and_grounded(home: House, tmp_path: Path) -> None:
    await home.sandbox.break_("gemini", invent_rate=0)
    rows = [
        f"{n},Ann {n},ann{n}@acme.example,CEO,Acme {n},Software,We want a demo,Referral,{n}00" for n in range(1, 41)
    ]
    (tmp_path / "in.csv").write_text("\n".join([HEADER, *rows]))
    (tmp_path / "offer.json").write_bytes(orjson.dumps(OFFER))
    env = variables(home, tmp_path)
    ran = await asyncio.to_thread(run, tmp_path, "score", "in.csv", "--offer", "offer.json", **env)
    assert ran.code == 0, ran.err
    found = list(csv.DictReader(io.StringIO(ran.out)))
    assert [row["lead_id"] for row in found] == [str(n) for n in range(1, 41)]
    lines = [orjson.loads(row["factors"])[-1] for row in found]
    assert all(line["name"] == "ai" and line["evidence"] and "claims supported" in line["reason"] for line in lines)
    assert all("model" not in line["missing"] for line in lines)
    asked = (await home.sandbox.requests("gemini"))[0]["body"]
    assert "Zyxroute" in str(asked) and "a third less distance" in str(asked)
    assert "ann1@acme" not in str(asked) and "Ann 1" not in str(asked)
    assert home.value("SELECT count(*) FROM leads") == home.value("SELECT count(*) FROM scores") == 0


async def test_a_model_that_is_away_leaves_it_to_rules_of_thumb(home: House, tmp_path: Path) -> None:
    await home.sandbox.break_("gemini", error_rate=1, status=503)
    (tmp_path / "in.csv").write_text(f"{HEADER}\n1,Ann,ann@acme.example,CEO,Acme,Software,Hello,Referral,100\n")
    env = variables(home, tmp_path)
    ran = await asyncio.to_thread(run, tmp_path, "score", "in.csv", "--profile", "dual_layer", **env)
    assert ran.code == 0, ran.err
    (row,) = csv.DictReader(io.StringIO(ran.out))
    assert (row["score"], row["intent"]) == ("95", "high")
    assert "no model answered" in row["reasoning"]


async def test_the_offer_of_a_campaign_is_in_the_prompt_and_names_the_profile(home: House) -> None:
    lists = {"value_propositions": ["a third less distance"], "ideal_use_cases": []}
    values = {"name": "Zyxroute", "profile": "dual_layer", "campaign_id": "fall", "created_by": "key:test", **lists}
    async with home.database.transaction() as session:
        await offers.add(session, values)
    fall, other = await home.deliver(campaign="fall"), await home.deliver()
    await home.run(fall)
    await home.run(other)
    asked = [str(one["body"]) for one in await home.sandbox.requests("gemini")]
    assert ["Zyxroute" in one for one in asked] == [True, False]
    assert home.lead(fall)["profile"].startswith("dual_layer@")
    assert home.lead(other)["profile"].startswith("grounded@")

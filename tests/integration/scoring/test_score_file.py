"""`revenueflow score` and `eval scoring` as people run them: on files that are clean, and on files that are not."""

from __future__ import annotations

import csv
import io
import os
import re
import threading
from pathlib import Path

import orjson
import pytest

from revenueflow import defaults
from tests.support.cli import Ran, run

DATA = Path(__file__).parents[2] / "data" / "routing"
HEADER = "lead_id,name,email,phone,role,company,industry,location,linkedin_bio,source,company_size"
OFFER = {"name": "Route planning", "value_props": ["a third less distance"], "ideal_use_cases": ["fleets"]}
ROWS = [
    "7,Ann,ann@acme.example,+49301234567,CEO,Acme,Software,Berlin,I run Acme,Referral,1000",
    '3,"Bo, Jr",bo@acme.example,,Leadership coach,,Widgets,,,,10k+',
    "=9,@Eve,not-an-address,,,=HYPERLINK(1),,,,,huge",
    "11,,,,,,,,,,",
]


def scored(folder: Path, rows: list[str], *arguments: str) -> list[dict[str, str]]:
    (folder / "leads.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    (folder / "offer.json").write_bytes(orjson.dumps(OFFER))
    ran = run(folder, "score", "leads.csv", "--offer", "offer.json", *arguments)
    assert ran.code == 0, ran.err
    return list(csv.DictReader(io.StringIO(ran.out)))


def test_columns_order_and_ids(tmp_path: Path) -> None:
    rows = scored(tmp_path, ROWS, "--no-ai", "--profile", "dual_layer")
    head = "lead_id,name,company,role,industry,score,intent,reasoning,tier,profile,factors,owner"
    assert list(rows[0]) == head.split(",")
    assert [row["lead_id"] for row in rows] == ["7", "3", "'=9", "11"]
    assert (rows[0]["score"], rows[0]["intent"], rows[0]["tier"], rows[0]["profile"]) == (
        "95", "high", "hot", "dual_layer@2",
    )  # fmt: skip
    assert (rows[1]["name"], rows[1]["score"]) == ("Bo, Jr", "11")
    assert "model" in orjson.loads(rows[0]["factors"])[-1]["missing"]
    assert rows[2]["company"].startswith("'=") and rows[2]["name"].startswith("'@")
    assert "not understood: headcount" in rows[2]["reasoning"]
    assert rows[3]["score"] == "5"


def test_owners_by_the_location_alone_whatever_rows_came_before(tmp_path: Path) -> None:
    places = ["Untied States", '"Berlin, Germany"', '"Austin, TX"', '"Paris, CA"', '"London, United Kingdom"', "US"]
    rows = scored(tmp_path, [f"{n},,,,CEO,,,{place},,,50" for n, place in enumerate(places)], "--no-ai")
    assert [row["owner"] for row in rows] == [
        "Inbound queue", "Jonas Keller", "Carmen Ortega", "Inbound queue", "Siobhán Carrick", "Carmen Ortega",
    ]  # fmt: skip
    assert ["not understood: country" in row["reasoning"] for row in rows] == [True, False, False, True, False, False]
    assert int(rows[0]["score"]) < int(rows[1]["score"])


def test_rows_that_are_no_leads_keep_their_place(tmp_path: Path) -> None:
    rows = scored(tmp_path, [ROWS[0], ",,,,,,,,,,Nothing", '13,"never closed', ROWS[1]], "--no-ai")
    assert [row["lead_id"] for row in rows] == ["7", "", "13", "3"]
    assert "quote" in rows[2]["reasoning"]


def test_other_names_of_columns_and_absurd_values(tmp_path: Path) -> None:
    text = "Lead ID;Full Name;Job Title;Organisation;Branche;Number of employees;Country\n"
    text += f"1;Ann;{'CEO ' * 1000};Acme;Maschinenbau;10k+;Untied States\n"
    (tmp_path / "in.csv").write_text(text, encoding="utf-8")
    ran = run(tmp_path, "score", "in.csv", "--no-ai", "--profile", "six_factor", "--out", "out.csv")
    assert (ran.code, ran.out) == (0, ""), ran.err
    with (tmp_path / "out.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert int(row["score"]) == 15 + 20 + 25
    assert "not understood: title, country" in row["reasoning"]
    assert oct((tmp_path / "out.csv").stat().st_mode)[-3:] == "600"
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []


def test_each_row_has_an_owner_by_the_rules(tmp_path: Path) -> None:
    text = "lead_id,email,country,company_size\n"
    text += "1,a@one.example,US,5000\n2,b@two.example,Germany,12\n3,c@gmail.com,Narnia,\n"
    text += "".join(f"{n},p@firm-{n}.example,US,20\n" for n in range(4, 8))
    (tmp_path / "in.csv").write_text(text, encoding="utf-8")

    def owners(*arguments: str) -> list[str]:
        ran = run(tmp_path, "score", "in.csv", *arguments, REVENUEFLOW_CONFIG_DIR=str(tmp_path))
        assert ran.code == 0, ran.err
        return [row["owner"] for row in csv.DictReader(io.StringIO(ran.out))]

    ours = ["Dana Whitfield", "Jonas Keller", "Inbound queue"]
    assert owners("--no-ai")[:3] == owners()[:3] == ours
    turns = defaults.text("routing.toml").replace(
        'owner = "carmen-ortega"', 'owners = ["carmen-ortega", "marcus-bell"]'
    )
    (tmp_path / "draft.toml").write_text(turns, encoding="utf-8")
    named = owners("--no-ai", "--rules", "draft.toml")
    assert named == owners("--no-ai", "--rules", "draft.toml")
    assert named[3:] == ["Carmen Ortega", "Marcus Bell"] * 2
    (tmp_path / "routing.toml").write_text(turns, encoding="utf-8")
    assert owners("--no-ai") == named, "the rules that are configured"
    reps = ("--rules", str(DATA / "rules.toml"), "--reps", str(DATA / "reps.csv"))
    assert owners("--no-ai", *reps)[0] == "Ben Ruiz"
    ran = run(tmp_path, "score", "in.csv", "--no-ai", "--rules", str(DATA / "rules.toml"))
    assert "name them with --reps" in ran.err
    assert {row["owner"] for row in csv.DictReader(io.StringIO(ran.out))} == {""}
    (tmp_path / "bad.toml").write_text(turns.replace('owner = "dana-whitfield"', 'owner = "nobody"'))
    ran = run(tmp_path, "score", "in.csv", "--no-ai", "--rules", "bad.toml")
    assert (ran.code, ran.out) == (78, "")
    assert "no rep has this id (line " in ran.err


def test_a_draft_with_a_key_that_no_lead_has_is_refused(tmp_path: Path) -> None:
    text = defaults.text("scoring/grounded.toml").replace("c_level = 15", "c_levl = 15")
    (tmp_path / "draft.toml").write_text(text, encoding="utf-8")
    (tmp_path / "leads.csv").write_text("lead_id,email\n1,a@acme.example\n", encoding="utf-8")
    for command in (("score", "leads.csv", "--no-ai"), ("scoring", "backtest"), ("eval", "scoring", "leads.csv")):
        ran = run(tmp_path, *command, "--profile", "draft.toml")
        assert (ran.code, ran.out) == (78, "")
        assert "draft.toml: factors.0.points.c_levl: no lead has this key; did you mean `c_level`?" in ran.err


def test_with_ai_and_no_model_the_rules_analyse_and_no_database_is_needed(tmp_path: Path) -> None:
    grounded = scored(tmp_path, ROWS[:2])
    alone = scored(tmp_path, ROWS[:2], "--no-ai")
    claims = [orjson.loads(row["factors"])[-1] for row in (grounded[0], alone[0])]
    assert [claim["name"] for claim in claims] == ["claims", "claims"]
    assert claims[0]["points"] > claims[1]["points"] == 0
    assert claims[0]["evidence"]


def test_a_name_that_is_a_word_of_titles_does_not_cost_the_role(tmp_path: Path) -> None:
    rows = [
        "1,Will Head,w@acme.example,,Head of Data,Acme,Software,,,,",
        "2,Chief Okafor,c@acme.example,,Chief Financial Officer,Acme,Software,,Chief here,,",
        "3,Ann Lead,a@acme.example,,Lead (Ann Lead),Acme,Software,,,,",
    ]
    for profile, points in (("dual_layer", [15, 20, 10]), ("grounded", [11, 15, 7])):
        ways = [scored(tmp_path, rows, *more, "--profile", profile) for more in ((), ("--no-ai",))]
        for way in ways:
            assert [orjson.loads(row["factors"])[0]["points"] for row in way] == points


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": ""}, "name: "), ({"price": 3}, "price: there is no such key here; allowed: ideal_use_cases, name, "),
        ({"value_props": "x"}, "value_propositions"),
        ({"profile": "gone"}, "known are dual_layer, grounded, six_factor"),
    ],
)  # fmt: skip
def test_a_wrong_offer_is_refused(tmp_path: Path, change: dict[str, object], said: str) -> None:
    (tmp_path / "in.csv").write_text(f"{HEADER}\n{ROWS[0]}\n")
    (tmp_path / "offer.json").write_bytes(orjson.dumps(OFFER | change))
    ran = run(tmp_path, "score", "in.csv", "--offer", "offer.json", "--no-ai")
    assert ran.code in (1, 78)
    assert said.replace("value_propositions", "value_prop") in ran.err


def test_what_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "no.csv").write_text("a,b\n1,2\n")
    assert run(tmp_path, "score", "no.csv", "--no-ai").code == 1
    assert run(tmp_path, "score", "gone.csv", "--no-ai").code == 2
    (tmp_path / "bad.toml").write_text('name = "x"\nversion = "1"\nshoe = 1\n[tiers]\nhot = 70\nwarm = 80\n')
    ran = run(tmp_path, "score", "no.csv", "--no-ai", "--profile", "bad.toml")
    assert ran.code == 78
    assert "bad.toml: " in ran.err
    assert re.search(r"shoe: there is no such key here; allowed: capped, factors, .*\(line 3\)", ran.err)
    assert "tiers: warm must be below hot (line 4)" in ran.err


def evaluated(folder: Path, rows: list[str], *arguments: str) -> Ran:
    (folder / "labelled.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return run(folder, "eval", "scoring", "labelled.csv", *arguments)


def test_eval_scoring(tmp_path: Path) -> None:
    rows = [f"{HEADER},expected_score,Expected Tier", f"{ROWS[0]},95,High", f"{ROWS[1]},20,cold", f"{ROWS[3]},,hot"]
    ran = evaluated(tmp_path, rows, "--profile", "dual_layer", "--misses", "wrong.jsonl")
    assert ran.code == 0, ran.err
    (told,) = ran.lines
    assert (told["n"], told["misses"]) == (3, 2)
    assert told["score"] == {
        "n": 2, "exact": 0.5, "within_5": 0.5, "mean_absolute_error": 4.5, "largest_error": 9,
    }  # fmt: skip
    assert (told["tier"]["n"], told["tier"]["accuracy"]) == (3, 0.6667)
    wrong = [orjson.loads(line) for line in (tmp_path / "wrong.jsonl").read_text().splitlines()]
    assert [(one["lead_id"], one["score"], one["tier"]) for one in wrong] == [("3", 11, "cold"), ("11", 5, "cold")]


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("101,hot", "labelled.csv:2: expected_score"), ("x,hot", "labelled.csv:2: expected_score"),
        ("5,tepid", "labelled.csv:2: expected_tier: must be one of hot, warm, cold"), (",", "no row has an expected"),
    ],
)  # fmt: skip
def test_labels_that_can_not_be_read(tmp_path: Path, label: str, said: str) -> None:
    ran = evaluated(tmp_path, [f"{HEADER},expected_score,expected_tier", f"{ROWS[0]},{label}"])
    assert (ran.code, ran.out) == (1, "")
    assert said in ran.err


def test_what_is_no_file_is_written_to_and_stays_what_it_is(tmp_path: Path) -> None:
    """A pipe here; by root, `--out /dev/null` took the device away."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text(encoding="utf-8")), daemon=True)
    reader.start()
    scored(tmp_path, ROWS, "--no-ai", "--out", str(pipe))
    reader.join(20)
    assert pipe.is_fifo()
    assert read[0].startswith("lead_id,name,")


def test_a_link_leads_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "real.csv").touch()
    (tmp_path / "link.csv").symlink_to("real.csv")
    scored(tmp_path, ROWS, "--no-ai", "--out", "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text(encoding="utf-8").startswith("lead_id,name,")

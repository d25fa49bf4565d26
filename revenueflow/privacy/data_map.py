"""The data map: where personal data is, why, and what erasing does to it. Every table and column has its place here.

A new table or column goes into MAP: a test compares it with the models, and docs/privacy.md with it. What erasing does
is made from it too, so a column that is named here is a column that is erased.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

NOTHING: Final = "NULL"
NO_TEXT: Final = "''::text"
NO_BYTES: Final = "''::bytea"
NO_OBJECT: Final = "'{}'::jsonb"
NO_LIST: Final = "'[]'::jsonb"
NO_VALUE: Final = "'null'::jsonb"

# How the rows about a person are found: $1 are the ids of the person's leads.
OF_LEADS: Final = "lead_id = ANY($1::uuid[])"
THE_LEADS: Final = "id = ANY($1::uuid[])"
OF_RUNS: Final = "job_id = ANY(ARRAY(SELECT id FROM jobs WHERE lead_id = ANY($1::uuid[])))"
# What came later is another matter: it waits for an operator.
RECEIVED_BEFORE: Final = """received_at <= (SELECT max(erased_at) FROM erasures WHERE key = deliveries.identity_key)"""
# A record that other people's leads share (a company's account) is not about this person alone.
OF_RECORDS: Final = """record_key = ANY(ARRAY(
    SELECT record_key FROM actions WHERE lead_id = ANY($1::uuid[])
    EXCEPT SELECT record_key FROM actions WHERE record_key = ANY(ARRAY(
        SELECT record_key FROM actions WHERE lead_id = ANY($1::uuid[]))) AND lead_id <> ALL($1::uuid[])))"""


@dataclass(frozen=True, slots=True)
class Held:
    """What a table holds. `personal`: each such column, and what erasing makes of it; `other`: all the rest.

    `rows` is the condition by which a person's rows are found; None if `found_by` says how else that is done. Of these
    erasing leaves those that are not `only`.
    `removed`: the rows themselves go. `why`: the purpose, for the data map that people read.
    """

    why: str
    other: str
    personal: Mapping[str, str] = field(default_factory=dict)
    rows: str | None = None
    only: str = "true"
    removed: bool = False
    found_by: str = ""


_SEARCHED = "a search of what is stored for the address, the number and the profile"
MAP: Final[Mapping[str, Held]] = {
    "deliveries": Held(
        "what senders sent, exactly as received: proof of what was accepted, and what a lead is made of",
        "id source content_type received_at lead_id identity_key outcome reason trace_id",
        {"raw": NO_BYTES, "parsed": NOTHING, "body_sha256": NO_BYTES, "delivery_key": "id::text"},
        OF_LEADS, only=RECEIVED_BEFORE,
    ),
    "leads": Held(
        "the lead: whom a rep is to call, and why",
        """id campaign_id identity_key version status stage fit score tier intent profile owner_id owner_name
        routing_rule analysis_verdict signals_missed crm_id received_at updated_at processed_at first_touch_at erased_at
        completeness cost reanalyse_at reanalysed_at reanalyses""",
        {
            **dict.fromkeys(
                ("email", "name", "phone", "company", "domain", "title", "country", "source", "message",
                 "routing_reason", "time_zone", "summary"), NOTHING,
            ),
            "form": NO_OBJECT, "facts": NO_OBJECT, "score_factors": NO_LIST,
        },
        THE_LEADS,
    ),
    "steps": Held(
        "checkpoints: what a run found so far, so that nothing is done or paid twice",
        "job_id name step_version input_sha256 started_at finished_at cost",
        {"output": NO_OBJECT}, OF_RUNS, removed=True,
    ),
    "evidence": Held(
        "what the form and providers say, which claims are held against",
        "id lead_id job_id ordinal provider signal trust fetched_at lookup cost",
        {"value": NO_VALUE, "path": NO_TEXT}, OF_LEADS,
    ),
    "claims": Held(
        "what a model said of the lead, with the verdict",
        "id lead_id job_id ref field verdict score decided_by supporting opposing created_at",
        {"value": NOTHING, "statement": NO_TEXT, "citations": NO_LIST, "expected": NOTHING, "found": NOTHING,
         "spans": NO_LIST},
        OF_LEADS,
    ),
    "scores": Held(
        "every score, with what each point was given for",
        "id lead_id job_id scoring_id run_version profile total tier intent fit scored_at",
        {"factors": NO_LIST, "missing": NO_LIST, "not_understood": NO_LIST, "reasoning": NO_TEXT}, OF_LEADS,
    ),
    "sla_timers": Held(
        "until when an owner is to touch a lead, and what became of that",
        """id lead_id number given tier owner_id owner_name rules started_at remind_at due_at state next_at written
        reminded_at reminder breached_at ended_at look_at unanswered_since unanswered_at
        crm_status""",
        {"reason": NO_TEXT}, OF_LEADS,
    ),
    "owner_moves": Held(
        "leads that were given to another owner, until the CRM was told",
        "id lead_id owner_id owner_name reason made_at next_at",
    ),
    "reviews": Held(
        "what people decided about claims",
        "id lead_id job_id run_version kind questioned state decision decided_by created_at closed_at",
        {"reason": f"CASE WHEN reason IS NOT NULL THEN {NO_TEXT} END", "decisions": NO_LIST}, OF_LEADS,
    ),
    "approvals": Held(
        "what people were asked to approve: one exact call each",
        """id action_key call_hmac tool caller rule approver state lead_id job_id trace_id asked_at expires_at
        decided_at decided_by used_at queued client_asks_left""",
        {"args": NO_OBJECT}, OF_LEADS,
    ),
    "mock_crm_records": Held(
        "the CRM of CRM_PROVIDER=mock, for trying things out",
        "object_type record_key crm_id created_at updated_at",
        {"fields": NO_OBJECT}, OF_RECORDS,
    ),
    "actions": Held(
        "what was written to the CRM, once for each key, and what is still open",
        """action_key record_key object_type tool run_version caller args_hmac state lease_token tries planned_at
        sent_at absent_at looked_at settled_at crm_id result error job_id lead_id""",
        {"args": NO_OBJECT}, OF_LEADS,
    ),
    "lookups": Held(
        "what providers answered, so that nobody pays twice; the key is an HMAC",
        """provider lookup key_hmac state answered_at cost_usd paid_by ask_again_at reason token lease_until
        reserved_usd reserved_in""",
        {"findings": NOTHING, "handle": NOTHING}, found_by="the HMAC of the address",
    ),
    "analyses": Held(
        "what models answered, so that nobody pays twice; the key is an HMAC",
        """key_hmac analyst model state reason ask_again_at token lease_until paid_by input_tokens output_tokens
        cost_usd reserved_usd reserved_tokens reserved_day expires_at""",
        {"answer": NOTHING}, removed=True, found_by="the leads whose evidence was in the prompt (analysis_uses)",
    ),
    "import_rejects": Held(
        "rows of CSV files that could not be taken, for the one who imported them",
        "import_id line reason", {"raw": NO_TEXT}, found_by=_SEARCHED,
    ),
    "erasures": Held(
        "who was erased, by HMAC, so that it stays so; and the operator's reason, redacted",
        "key erased_at reopened_at reason erased_by",
    ),
    "analysis_uses": Held("which leads an answer of a model was about", "lead_id key_hmac"),
    "jobs": Held(
        "runs: what is still to do; errors are codes",
        """id lead_id run_version wanted_version priority state step run_at attempt lease_owner lease_token lease_until
        rung_at error_class last_error trace_id created_at finished_at""",
    ),
    "audit_events": Held(
        "the trail: ids, codes and counts only; sealed, so that nothing in it can be erased",
        "id ts actor action outcome lead_id job_id action_key trace_id detail leaf_hash",
    ),
    "audit_pending": Held("events without a place in the trail yet", "event_id"),
    "audit_leaves": Held("the order of the trail", "seq event_id leaf_hash"),
    "audit_checkpoints": Held("signed states of the trail", "tree_size root_hash note created_at"),
    "spend": Held(
        "sums of money and tokens",
        "scope period reserved_usd settled_usd updated_at reserved_tokens settled_tokens",
    ),
    "api_keys": Held("who may call, by hash", "id key_sha256 prefix role name created_at revoked_at"),
    "crm_silence": Held("since when the CRM answers nobody who asks about touches", "asker since last_at"),
    "controls": Held("switches", "name value set_by set_at"),
    "imports": Held(
        "how far imports have come",
        """id state rows accepted duplicates quarantined rejected mapping columns delimiter error created_by created_at
        updated_at finished_at""",
    ),
    "source_cursors": Held("how far sources were read", "source cursor pulled_at not_before updated_at"),
    "campaigns": Held("campaigns that sources know", "id name source leads pulled_at"),
    "offers": Held(
        "what is sold",
        """id name value_propositions ideal_use_cases profile campaign_id created_by created_at request_key
        request_sha256 withdrawn_at""",
    ),
    "scorings": Held(
        "how far scoring of many leads has come",
        """id scope campaign_id offer_id profile state leads scored skipped cursor lease_token lease_until error
        created_by created_at updated_at finished_at request_key request_sha256""",
    ),
    "outcomes": Held(
        "what sales did with a lead, and what it was worth: no name, no text",
        "id lead_id kind happened_at value_minor currency owner_id recorded_by recorded_at",
    ),
    "reps": Held("our own people who own leads: not what this map is about", "id data removed_at updated_at"),
    "rotations": Held("whose turn is next in a pool of reps", "pool state updated_at"),
    "turns": Held("which rep a lead was the turn of, so that it takes no other", "pool lead_id rep_id number taken_at"),
    "routines": Held("what is done every so often, and when it was", "name begun_at ended_at"),
}  # fmt: skip

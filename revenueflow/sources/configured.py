"""From settings to the sources that are pulled; one without credentials is none."""

from __future__ import annotations

from revenueflow.db.direct import Direct
from revenueflow.privacy.identity import IdentityKey
from revenueflow.resilience.addresses import Allowed
from revenueflow.resilience.outside import Outside
from revenueflow.settings import Settings
from revenueflow.sources.aturiya import Aturiya
from revenueflow.sources.hubspot_journal import NAME, HubSpotJournal, HubSpotPull
from revenueflow.sources.marketo_pull import MarketoPull
from revenueflow.sources.marketo_rest import MarketoRest
from revenueflow.sources.reconcile import Puller

ATURIYA_SETTINGS = "ATURIYA_BASE_URL, ATURIYA_TOKEN, ATURIYA_USER_ID and ATURIYA_AGENT_ID"


def pullers(settings: Settings, direct: Direct, key: IdentityKey) -> list[Puller]:
    """Those that are read again and again. Made inside an event loop; the caller closes them."""
    made = (marketo(settings, direct, key), hubspot(settings, direct, key))
    return [one for one in made if one is not None]


def is_any(settings: Settings) -> bool:
    """Whether there would be a puller."""
    journal = settings.hubspot_journal
    return _has_marketo(settings) or bool(journal.client_id and journal.client_secret)


def marketo(settings: Settings, direct: Direct, key: IdentityKey) -> Puller | None:
    """Marketo's, if its address and credentials are set."""
    given, when = settings.marketo, settings.reconcile
    if not (given.base_url and given.client_id and given.client_secret):
        return None
    secret = given.client_secret.get_secret_value()
    rest = MarketoRest(given.base_url, given.client_id, secret, identity_url=given.identity_url)
    return MarketoPull(
        rest,
        direct,
        key,
        types=given.activity_types,
        grace=when.grace,
        overlap=when.overlap,
        fields=given.extra_fields,
        config_dir=settings.config_dir,
    )


def hubspot(settings: Settings, direct: Direct, key: IdentityKey) -> Puller | None:
    """HubSpot's journal, if the app's credentials are set."""
    given = settings.hubspot_journal
    if not (given.client_id and given.client_secret):
        return None
    outside = Outside(NAME, allowed=Allowed.parse(settings.outside.allow))
    secret = given.client_secret.get_secret_value()
    journal = HubSpotJournal(settings.hubspot.base_url, given.client_id, secret, outside)
    return HubSpotPull(journal, direct, key, grace=settings.reconcile.grace)


def aturiya(settings: Settings) -> Aturiya | None:
    """Aturiya, if address, token, user and agent are set. Raises ConfigurationError for a wrong table."""
    given = settings.aturiya
    if not (given.base_url and given.token and given.user_id and given.agent_id):
        return None
    token = given.token.get_secret_value()
    return Aturiya(given.base_url, token, given.user_id, given.agent_id, config_dir=settings.config_dir)


def _has_marketo(settings: Settings) -> bool:
    given = settings.marketo
    return bool(given.base_url and given.client_id and given.client_secret)

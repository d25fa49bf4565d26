"""The Gemini API, with an API key of Google AI Studio."""

from __future__ import annotations

from typing import Any, Final

from revenueflow.analysis.models.google import Google

NAME: Final = "gemini"
API_VERSION: Final = "v1beta"


class Gemini(Google):
    """An Analyst. `base_url` None is Google's own address; `how` is what `Google` takes: timeout (s), tries, …"""

    def __init__(self, *, api_key: str, model: str, base_url: str | None = None, **how: Any) -> None:
        access = {"vertexai": False, "api_key": api_key}
        super().__init__(NAME, model, access, {"base_url": base_url, "api_version": API_VERSION}, **how)

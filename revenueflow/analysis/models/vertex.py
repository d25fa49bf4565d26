"""Gemini on Vertex AI: in a project and location of yours by application default credentials, or with an express key.

Source: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference
"""

from __future__ import annotations

from typing import Any, Final

from revenueflow.analysis.models.google import Google

NAME: Final = "vertex"
API_VERSION: Final = "v1beta1"


class Vertex(Google):
    """An Analyst. An `api_key` goes before `project` and `location`, for which Google's own library finds credentials.

    They are looked for at the first call: where there are none it fails with `bad_key`. `how` as in `Gemini`.
    """

    def __init__(
        self,
        *,
        model: str,
        project: str | None = None,
        location: str = "global",
        api_key: str | None = None,
        base_url: str | None = None,
        **how: Any,
    ) -> None:
        place = {"api_key": api_key} if api_key else {"project": project, "location": location}
        options = {"base_url": base_url, "api_version": API_VERSION}
        super().__init__(NAME, model, {"vertexai": True, **place}, options, **how)

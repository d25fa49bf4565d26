"""Which models read the evidence, and how they are reached."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode

from revenueflow.settings.base import Group, HttpUrl, env, split

AnalystName = Literal["gemini", "vertex", "bedrock", "rules"]


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise PydanticCustomError("analysts", "each analyst once")
    if "rules" in names[:-1]:
        raise PydanticCustomError("analysts", "rules can only be the last one: it always answers")
    return names


AnalystNames = Annotated[
    tuple[AnalystName, ...], NoDecode, BeforeValidator(split), AfterValidator(_each_once), Field(max_length=4)
]
Word = Annotated[str, Field(pattern=r"^\S+$")]
AwsRegion = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]


class AnalysisSettings(Group):
    """The models that read the evidence. The rules always come last."""

    provider: AnalystName = env("ANALYSIS_PROVIDER", "gemini", about="gemini, vertex, bedrock, or rules for no model")
    chain: AnalystNames = env(
        "ANALYSTS",
        (),
        about="several, by commas, in order: the next answers where one fails; default ANALYSIS_PROVIDER",
    )
    timeout: float = env("ANALYSIS_TIMEOUT_SECONDS", 20, about="seconds for one answer", gt=0, le=25)
    again: bool = env(
        "REVENUEFLOW_REANALYSE", True, about="analyse again, after an outage of models, what the rules had to"
    )
    second_opinion: bool = env(
        "REVENUEFLOW_SECOND_OPINION", False, about="ask a model about claims that the checks left undecided"
    )
    api_key: SecretStr | None = env("GEMINI_API_KEY", None, about="without it the rules analyst answers")
    base_url: HttpUrl | None = env("GOOGLE_GEMINI_BASE_URL", None, about="another address of the Gemini API")
    model: str = env("GEMINI_MODEL", "gemini-2.5-flash", about="the model's name")
    vertex_project: Word | None = env(
        "GOOGLE_CLOUD_PROJECT", None, about="Vertex AI by application default credentials: the project"
    )
    vertex_location: Word = env("GOOGLE_CLOUD_LOCATION", "global", about="Vertex AI: where the model runs")
    vertex_key: SecretStr | None = env("VERTEX_API_KEY", None, about="Vertex AI by an express key, without a project")
    vertex_url: HttpUrl | None = env("VERTEX_BASE_URL", None, about="another address of Vertex AI")
    vertex_model: Word = env("VERTEX_MODEL", "gemini-2.5-flash", about="the model's name on Vertex AI")
    aws_region: AwsRegion | None = env("AWS_REGION", None, about="Bedrock: the region, such as eu-central-1")
    aws_key_id: Word | None = env(
        "AWS_ACCESS_KEY_ID", None, about="Bedrock; without it AWS credentials are found as by the AWS CLI"
    )
    aws_secret: SecretStr | None = env("AWS_SECRET_ACCESS_KEY", None, about="its secret")
    aws_session: SecretStr | None = env("AWS_SESSION_TOKEN", None, about="for temporary AWS credentials")
    bedrock_key: SecretStr | None = env(
        "AWS_BEARER_TOKEN_BEDROCK", None, about="an API key of Bedrock, instead of AWS credentials"
    )
    bedrock_url: HttpUrl | None = env("BEDROCK_BASE_URL", None, about="another address of Bedrock")
    bedrock_model: Word = env(
        "BEDROCK_MODEL",
        "global.anthropic.claude-haiku-4-5-20251001-v1:0",
        about="id or ARN of a model or inference profile",
    )

    @property
    def names(self) -> tuple[AnalystName, ...]:
        """The analysts in order; without the rules, which follow."""
        return tuple(name for name in self.chain or (self.provider,) if name != "rules")

    def missing(self) -> str | None:
        """What an analyst lacks: setting and reason. Gemini alone without a key is no mistake: the rules do."""
        wanted = {
            "gemini": [] if self.api_key or not self.chain else ["GEMINI_API_KEY"],
            "vertex": [] if self.vertex_key or self.vertex_project else ["GOOGLE_CLOUD_PROJECT"],
            "bedrock": [] if self.aws_region else ["AWS_REGION"],
        }
        for name in self.names:
            for setting in wanted[name]:
                return f"{setting}: is not set, and the analyst {name} needs it"
        if (self.aws_key_id is None) != (self.aws_secret is None):
            half = "AWS_SECRET_ACCESS_KEY" if self.aws_secret is None else "AWS_ACCESS_KEY_ID"
            return f"{half}: is not set, and the other half of the AWS credential is"
        return None

"""Parameters that several of the belt's operations share."""

from dataclasses import dataclass
from typing import Annotated

from litestar.params import PathParameter, QueryParameter

Id = Annotated[str, PathParameter(description="Id, for example `sys_…`, `rec_…`, `ord_…` or `key_…`.")]
PageNumber = Annotated[int, QueryParameter(ge=1, le=100_000)]
PageSize = Annotated[int, QueryParameter(ge=1, le=200)]
SystemId = Annotated[str, QueryParameter(max_length=80, description="System id; empty for all.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyRequest:
    """A deed that needs a reason."""

    reason: str

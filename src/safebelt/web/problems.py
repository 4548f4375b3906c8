"""Turn a `Problem` into RFC 9457 problem+json, in one place."""

from typing import Any

from litestar import Request, Response

from safebelt.kernel.errors import Problem

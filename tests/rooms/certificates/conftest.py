"""An issuing authority on each database, a system in service, and a client that knocks at the doors."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.testing import TestClient
from tests.rooms.certificates.house import csr, spare_keys
from tests.rooms.registry.house import build_ledger, build_registry
from tests.rooms.registry.lifecycle_house import DESCRIBED, enter, into_service
from tests.rooms.rulebook.house import build_rules

from safebelt.engines.clock import real_chance, real_ids
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import OWNER
from safebelt.rooms.certificates.api import API
from safebelt.rooms.certificates.model import EVENTS, Certificate, Found, Issue
from safebelt.rooms.certificates.pages import PAGES
from safebelt.rooms.certificates.service import Certificates, Tools
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.registry.model import System
from safebelt.rooms.registry.model.lifecycle import Issuer
from safebelt.rooms.registry.service import Registry
from safebelt.web.doors import KIT_DOORS
from safebelt.web.headers import add_security_headers
from safebelt.web.openapi import openapi
from safebelt.web.problems import problem_handlers
from safebelt.web.templating import templates

BASE = "https://ai.example.org"


@pytest.fixture
def ledger(sql: Sql, tmp_path: Path, clock, new_id, chance) -> Ledger:
    return build_ledger(sql, tmp_path, clock=clock, new_id=new_id, chance=chance)


@pytest.fixture
def registry(sql: Sql, ledger: Ledger, clock, new_id, tmp_path: Path) -> Registry:
    return build_registry(sql, ledger, build_rules(sql, ledger, clock, new_id), clock, new_id, tmp_path)


@pytest.fixture
def bare(sql: Sql, ledger: Ledger, registry: Registry, clock, tmp_path: Path) -> Certificates:
    """A house without an authority."""
    return Certificates(
        Tools(
            sql=sql,
            ledger=ledger,
            registry=registry,
            keys=tmp_path / "keys" / "certificates",
            base=BASE,
            clock=clock,
            chance=real_chance,
            make_key=spare_keys(),
        )
    )


@pytest.fixture
def certificates(bare: Certificates) -> Certificates:
    bare.found(Found(organization="明理认证 Mingli", country="CN", issuer=Issuer.ASSOCIATION), by=OWNER)
    return bare


@pytest.fixture
def served(registry: Registry) -> System:
    """A system in service, on claims alone."""
    return into_service(registry, enter(registry, DESCRIBED).id)


@pytest.fixture
def issued(certificates: Certificates, served: System) -> Certificate:
    return certificates.issue(Issue(system_id=served.id, request=csr()), by=OWNER)


@pytest.fixture
def client(certificates: Certificates) -> Iterator[TestClient]:
    async def knocking(request) -> None:
        request.state.actor = OWNER

    app = Litestar(
        route_handlers=[*KIT_DOORS, *API, *PAGES],
        before_request=knocking,
        dependencies={
            "certificates": Provide(lambda: certificates, sync_to_thread=False),
            "by": Provide(lambda: OWNER, sync_to_thread=False),
        },
        state=State(
            {
                "authorize": lambda _actor, _action, _resource: None,
                "dossier_panels": (),
                "event_titles": {event.kind: event.title for event in EVENTS},
            }
        ),
        exception_handlers=problem_handlers(real_ids()),
        template_config=templates(["certificates"]),
        openapi_config=openapi(),
        before_send=[add_security_headers],
        logging_config=None,
    )
    with TestClient(app) as found:
        yield found

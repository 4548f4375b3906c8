"""The public sees which certificate a published system has, and that it is no approval."""

from pathlib import Path

import pytest
from litestar.testing import TestClient
from tests.rooms.certificates.house import csr
from tests.rooms.portal.conftest import CLEAR
from tests.rooms.portal.house import build_app, build_portal
from tests.rooms.registry.house import build_ledger, build_registry
from tests.rooms.registry.lifecycle_house import DESCRIBED, enter, into_service
from tests.rooms.rulebook.house import build_rules

from safebelt.kernel.actors import OWNER
from safebelt.rooms.certificates.model import Found, Issue
from safebelt.rooms.registry.model.lifecycle import Issuer

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_public_page_shows_the_certificate_how_it_stands_and_that_it_is_no_approval(
    sql, clock, new_id, chance, tmp_path: Path
) -> None:
    ledger = build_ledger(sql, tmp_path, clock=clock, new_id=new_id, chance=chance)
    registry = build_registry(sql, ledger, build_rules(sql, ledger, clock, new_id), clock, new_id, tmp_path)
    portal = build_portal(registry, ledger, clock, tmp_path / "keys")
    system = into_service(registry, enter(registry, DESCRIBED).id)
    registry.publish(system.id, CLEAR, by=OWNER)
    certificates = portal._certificates

    with TestClient(build_app(portal)) as visitor:
        path = f"/en/register/{system.id}"
        assert "No certificate." in visitor.get(path).text
        certificates.found(Found(organization="Mingli", country="CN", issuer=Issuer.SELF), by=OWNER)
        made = certificates.issue(Issue(system_id=system.id, request=csr()), by=OWNER)

        shown = visitor.get(path).text
        assert made.serial in shown and "no approval" in shown and "not revoked" in shown
        assert "不表示任何批准" in visitor.get(path.replace("/en/", "/zh/")).text

        certificates.suspend(made.serial, reason="a secret of Li", by=OWNER)
        suspended = visitor.get(path).text
        assert "suspended" in suspended and "secret of Li" not in suspended
        clock.move(days=91)
        assert "No certificate." in visitor.get(path).text

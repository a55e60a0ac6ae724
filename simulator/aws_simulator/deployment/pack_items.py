"""What AWS Config records of conformance packs, for advanced queries: the compliance of each.

Source: https://docs.aws.amazon.com/config/latest/developerguide/view-compliance-history.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from moto.config.models import ConfigBackend

from aws_simulator.core.config import recorded_items
from aws_simulator.core.config.recorded_items import Item, item_of, judged
from aws_simulator.core.config.results import compliance_of
from aws_simulator.core.config.state import Result, state_of
from aws_simulator.deployment.conformance_packs import state_of as packs_in

PACK_COMPLIANCE = "AWS::Config::ConformancePackCompliance"


def _compliance(backend: ConfigBackend) -> Iterator[Item]:
    """One item a conformance pack, with all its rules. AWS documents that it is there, not all that is in it."""
    state = state_of(backend)
    for pack in packs_in(backend.account_id, backend.region_name).packs.values():
        with state.lock:
            by_rule = {name: _verdict_of_rule(state.results.get(name, {}).values()) for name in pack.rules}
        yield item_of(
            backend,
            PACK_COMPLIANCE,
            pack.id,
            arn=pack.arn,
            name=pack.name,
            configuration=judged(backend, by_rule),
        )


def _verdict_of_rule(results: Iterable[Result]) -> str:
    return str(compliance_of(each.evaluation for each in results)["ComplianceType"])


def install() -> None:
    """Has AWS Config's recorder record it. Idempotent."""
    if (PACK_COMPLIANCE, _compliance) not in recorded_items.readers:
        recorded_items.readers.append((PACK_COMPLIANCE, _compliance))

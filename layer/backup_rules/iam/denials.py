"""Which permissions a role lacks, by what IAM's policy simulator answers; who withholds them; and the words for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from backup_rules.iam.permission_table import ANY_RESOURCE
from backup_rules.iam.permissions import Probe
from backup_rules.selections.picking import SelectionSummary
from backup_rules.selections.words import called
from backup_rules.values import dataclass
from backup_rules.wording.annotations import NAMES, NamesShown, listing, name
from backup_rules.wording.findings import Problem


class Decision(StrEnum):
    """IAM's words for how a simulated call ends."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """How one action on one resource (an ARN, or `*`) ends.

    The two booleans are None where the role has no permissions boundary, or the account no organization.
    `missing_context` names the condition keys of the role's policies that the simulation had no value for.
    """

    action: str
    resource: str
    decision: Decision
    allowed_by_boundary: bool | None = None
    allowed_by_organizations: bool | None = None
    missing_context: tuple[str, ...] = ()


class WithheldBy(StrEnum):
    """Who keeps a permission from the role, in the order in which it has to be settled."""

    SERVICE_CONTROL_POLICY = "service control policy"
    PERMISSIONS_BOUNDARY = "permissions boundary"
    EXPLICIT_DENY = "explicit deny"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class Withheld:
    """A permission that the role lacks: a probe that it does not pass, and why.

    `unknown_conditions` are condition keys on which the role's policies might allow the action after all: the
    simulation has no value for them.
    """

    probe: Probe
    withheld_by: WithheldBy
    unknown_conditions: tuple[str, ...] = ()


Answers = Mapping[tuple[str, str], SimulationResult]


def answers_to(results: Iterable[SimulationResult]) -> Answers:
    """The results about a role by action and resource, for all that is judged by them.

    Raises:
        ValueError: the results contradict one another: nothing may be concluded.
    """
    answers: dict[tuple[str, str], SimulationResult] = {}
    for result in results:
        known = answers.setdefault((result.action, result.resource), result)
        if known.decision is not result.decision:
            raise ValueError(
                f"{result.action} on {result.resource} is simulated as {known.decision} and as {result.decision}"
            )
    return answers


def withheld(probes: Iterable[Probe], answers: Answers) -> tuple[Withheld, ...]:
    """Which probes the role does not pass.

    Raises:
        ValueError: a probe's answer is missing: nothing may be concluded.
    """
    found = (_withheld(probe, [_answer(answers, *ask) for ask in probe.asks]) for probe in probes)
    return tuple(each for each in found if each is not None)


def _answer(answers: Answers, action: str, resource: str) -> SimulationResult:
    try:
        return answers[action, resource]
    except KeyError:
        raise ValueError(f"the simulation has no answer for {action} on {resource}") from None


def _withheld(probe: Probe, answers: Sequence[SimulationResult]) -> Withheld | None:
    if any(answer.decision is Decision.ALLOWED for answer in answers):
        return None
    first = answers[0]
    if first.allowed_by_organizations is False:
        return Withheld(probe, WithheldBy.SERVICE_CONTROL_POLICY)
    if first.allowed_by_boundary is False:
        return Withheld(probe, WithheldBy.PERMISSIONS_BOUNDARY)
    if first.decision is Decision.EXPLICIT_DENY:
        return Withheld(probe, WithheldBy.EXPLICIT_DENY)
    return Withheld(probe, WithheldBy.POLICY, _unknown_conditions(first))


# Conditions on tags that AWS itself puts on its things, in its managed policies for restores: none of them is about an
# action that is asked about here, but for the second, which is answered where it is.
_CONDITIONS_ON_AWS_TAGS = frozenset({"aws:resourcetag/amazonfsx", "aws:resourcetag/aws:backup:source-resource"})

# How the names of actions begin whose requests can carry tags. With events:PutRule AWS Backup sends none: AWS's policy
# for S3 does not grant the events:TagResource that this takes.
_TAGGING = ("AddTags", "CopyBackup", "CopyDB", "CopyImage", "CopySnapshot", "Create", "Tag")


def _unknown_conditions(result: SimulationResult) -> tuple[str, ...]:
    """The keys that can be conditions of the action: IAM names those of all the role's policies, whatever they allow.

    Source: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
    """
    return tuple(key for key in result.missing_context if _may_decide(key.lower(), result))


def _may_decide(key: str, result: SimulationResult) -> bool:
    """Whether a request of the action can carry the condition key (in lower case)."""
    service, _, operation = result.action.partition(":")
    owner, _, rest = key.partition(":")
    if owner not in {"aws", service.lower()} or key in _CONDITIONS_ON_AWS_TAGS:
        return False
    if rest.startswith("resourcetag/"):
        return result.resource != ANY_RESOURCE
    if rest.startswith("requesttag/") or key == "aws:tagkeys":
        return operation.startswith(_TAGGING)
    return key != "ec2:createaction" or operation == "CreateTags"


def actions_by_subject(found: Iterable[Withheld]) -> dict[str, list[str]]:
    """The withheld actions, each once, by what they are for: `{"EBS volumes": ["ec2:CreateSnapshot", …]}`."""
    subjects: dict[str, dict[str, None]] = {}
    for each in found:
        subjects.setdefault(each.probe.subject, {})[each.probe.action] = None
    return {subject: list(actions) for subject, actions in subjects.items()}


def problems(role_name: str, selection: SelectionSummary, found: Iterable[Withheld]) -> tuple[Problem, ...]:
    """What the role of the selection lacks and what to do about it: a problem for each withholder.

    Where not every action fits into an annotation, it says how many there are, and that the log has them all. First
    fewer actions of each subject are named, then names are shortened, then the selection is left out, which the verdict
    is about anyway. Only then is not every subject named.
    """
    by_withholder: dict[WithheldBy, list[Withheld]] = {each: [] for each in WithheldBy}
    for each in found:
        by_withholder[each.withheld_by].append(each)
    return tuple(_problem(role_name, selection, by, its_own) for by, its_own in by_withholder.items() if its_own)


def _problem(role_name: str, selection: SelectionSummary, by: WithheldBy, found: Sequence[Withheld]) -> Problem:
    subjects = actions_by_subject(found)
    why, remedy = _why(by, found)
    every = len(subjects)
    # Characters of the selection's and the plan's names (None: neither is named), actions and subjects to tell.
    # Names shown, actions, subjects.
    wordings: list[tuple[NamesShown | None, int, int]] = [(NAMES[0], most, every) for most in (3, 2, 1)]
    wordings += [(shown, 1, every) for shown in NAMES[1:]]
    wordings += [(None, 3, every), (None, 2, every)]
    wordings += [(shown, 1, number) for number in range(every, 0, -1) for shown in (*NAMES, None)]
    words = [
        f"Role {name(role_name, max(24, shown[0]) if shown else 40)}"
        f"{f' of {called(selection, shown)}' if shown else ''} lacks {_lacking(subjects, *most)}: {why}."
        for shown, *most in wordings
    ]
    return Problem.worded(words, remedy)


def _lacking(subjects: Mapping[str, Sequence[str]], most_actions: int, most_subjects: int) -> str:
    parts = [f"{listing(actions, most_actions)} ({subject})" for subject, actions in subjects.items()]
    others = len(parts) - most_subjects
    named = "; ".join(parts[:most_subjects]) + (f"; and for {others} more types" if others > 1 else "")
    named += "; and for 1 more type" if others == 1 else ""
    if not others and all(len(actions) <= most_actions for actions in subjects.values()):
        return named
    number = sum(len(actions) for actions in subjects.values())
    return f"{number} actions (all in the log): {named}"


def _why(by: WithheldBy, denials: Sequence[Withheld]) -> tuple[str, str]:
    """Who withholds it, to end a sentence, and what to do."""
    match by:
        case WithheldBy.SERVICE_CONTROL_POLICY:
            return "a service control policy withholds it", "Allow it in that policy."
        case WithheldBy.PERMISSIONS_BOUNDARY:
            return "its permissions boundary withholds it", "Allow it in the boundary."
        case WithheldBy.EXPLICIT_DENY:
            return "a policy of the role denies it", "Remove that Deny."
        case WithheldBy.POLICY:
            policies = dict.fromkeys(denial.probe.managed_policy for denial in denials)
            keys = dict.fromkeys(key for denial in denials for key in denial.unknown_conditions)
            unless = f" (unless its conditions on {listing(tuple(keys), 2)} hold)" if keys else ""
            return f"no policy of the role allows it{unless}", f"Attach {' and '.join(policies)}."

"""The base of the pack's AWS Config rules: subjects, what is found about each, and what becomes of failures.

A rule is one class with two methods:

    class BACKUP_EXAMPLE(BackupConfigRule[RuleParameters, PlanSummary]):
        def subjects(self, invocation):
            return invocation.plans()

        def findings(self, subject, invocation):
            yield Problem("What is wrong.", "What to do.")
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from rdklib import ConfigRule

from backup_rules.aws.memory import gaps_noticed
from backup_rules.errors import ReadError, VanishedError
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.parameters import RuleParameters
from backup_rules.evaluation.subjects import Subject, Verdict, verdict
from backup_rules.wording.findings import Finding, Problem

P = TypeVar("P", bound=RuleParameters)
S = TypeVar("S")


@dataclass
class Outcome:
    """What came of an invocation: a verdict for each subject that could be judged, and why each other one could not.

    `gaps` is what is missing from the subjects themselves: some may not have been seen. `unread` is what could not be
    read beside verdicts that stand all the same.
    """

    verdicts: list[Verdict] = field(default_factory=list)
    failures: dict[tuple[str, str], ReadError] = field(default_factory=dict)
    gaps: tuple[ReadError, ...] = ()
    unread: list[ReadError] = field(default_factory=list)


class BackupConfigRule(ConfigRule, ABC, Generic[P, S]):
    """An AWS Config rule of this pack, on rdklib's `ConfigRule`; `evaluator.Evaluator` runs it."""

    parameters_type: ClassVar[type[RuleParameters]] = RuleParameters

    @abstractmethod
    def subjects(self, invocation: Invocation[P]) -> Iterable[Subject[S]]:
        """What the rule gives verdicts about. A ReadError here fails the whole invocation."""

    @abstractmethod
    def findings(self, subject: Subject[S], invocation: Invocation[P]) -> Iterable[Finding]:
        """What is found about one subject. A ReadError here fails this subject only; a VanishedError drops it."""

    def evaluate_parameters(self, rule_parameters: dict[str, Any]) -> RuleParameters:
        """The hook of rdklib: the parameters, typed.

        Raises:
            InvalidRuleParametersError: naming the parameter, the value and what is allowed.
        """
        return self.parameters_type.read(rule_parameters)

    def judge(self, invocation: Invocation[P]) -> Outcome:
        """Judge every subject.

        A verdict that rests on what could not be read, though it was read for others too (a gap), is none: it fails as
        the subject's own reading would. Only what is NON_COMPLIANT whatever the gap hides stands.
        """
        outcome = Outcome()
        with gaps_noticed() as gaps:
            subjects = {subject.key: subject for subject in self.subjects(invocation)}
        outcome.gaps = tuple(gaps.values())
        if invocation.only is not None and invocation.only.key in subjects:
            # What has changed is itself a subject: nothing else is judged.
            subjects = {invocation.only.key: subjects[invocation.only.key]}
        for subject in subjects.values():
            try:
                with gaps_noticed() as gaps:
                    found = tuple(self.findings(subject, invocation))
            except VanishedError:
                continue
            except ReadError as error:
                outcome.failures[subject.key] = error
                continue
            if gaps:
                found = tuple(each for each in found if isinstance(each, Problem) and not each.rests_on_absence)
                if not found:
                    outcome.failures[subject.key] = next(iter(gaps.values()))
                    continue
                outcome.unread.extend(gaps.values())
            outcome.verdicts.append(verdict(subject, found))
        return outcome

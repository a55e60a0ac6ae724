"""The base of the pack's AWS Config rules: subjects, what is found about each, and what becomes of failures.

A rule is one class with two methods:

    class BACKUP_EXAMPLE(BackupConfigRule[RuleParameters, PlanSummary]):
        def subjects(self, run):
            return run.plans()

        def findings(self, subject, run):
            yield Problem("What is wrong.", "What to do.")
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from rdklib import ConfigRule

from backup_rules.errors import ReadError, VanishedError
from backup_rules.evaluation.evaluation import Run
from backup_rules.evaluation.parameters import RuleParameters
from backup_rules.evaluation.subjects import Subject, Verdict, verdict
from backup_rules.wording.findings import Finding

P = TypeVar("P", bound=RuleParameters)
S = TypeVar("S")


@dataclass
class Outcome:
    """What came of a run: a verdict for each subject that could be judged, and why each other one could not."""

    verdicts: list[Verdict] = field(default_factory=list)
    failures: dict[tuple[str, str], ReadError] = field(default_factory=dict)


class BackupConfigRule(ConfigRule, ABC, Generic[P, S]):
    """An AWS Config rule of this pack, on rdklib's `ConfigRule`; `evaluator.Evaluator` runs it."""

    parameters_type: ClassVar[type[RuleParameters]] = RuleParameters

    @abstractmethod
    def subjects(self, run: Run[P]) -> Iterable[Subject[S]]:
        """What the rule gives verdicts about. A ReadError here fails the whole run."""

    @abstractmethod
    def findings(self, subject: Subject[S], run: Run[P]) -> Iterable[Finding]:
        """What is found about one subject. A ReadError here fails this subject only; a VanishedError drops it."""

    def evaluate_parameters(self, rule_parameters: dict[str, Any]) -> RuleParameters:
        """The hook of rdklib: the parameters, typed.

        Raises:
            InvalidRuleParametersError: naming the parameter, the value and what is allowed.
        """
        return self.parameters_type.read(rule_parameters)

    def judge(self, run: Run[P]) -> Outcome:
        """Judge every subject of the run."""
        outcome = Outcome()
        subjects = {subject.key: subject for subject in self.subjects(run)}
        if run.only is not None and run.only.key in subjects:
            # What has changed is itself a subject: nothing else is judged.
            subjects = {run.only.key: subjects[run.only.key]}
        for subject in subjects.values():
            try:
                outcome.verdicts.append(verdict(subject, self.findings(subject, run)))
            except VanishedError:
                continue
            except ReadError as error:
                outcome.failures[subject.key] = error
        return outcome

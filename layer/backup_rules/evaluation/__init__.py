"""From a Config event to PutEvaluations: events, parameters, subjects, the rule base, the evaluator."""

"""Whether backup plans will run, judged before anything is deployed: documents in place of AWS's answers."""

"""Record: what was deployed and what came back."""

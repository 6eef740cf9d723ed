"""How a new model comes into use: who scores beside the champion, what is watched, when it goes on or back.

- `placement`: which models score beside the champion, and for whom one of them decides.
- `pairs`, `limits`, `chance`, `guardrails`: a model held against another on the same transactions, without labels.
- `matured`: the same with labels, days later.
- `plan`, `state`, `actions`, `release`: the policy, what it remembers and what it wants done.
"""

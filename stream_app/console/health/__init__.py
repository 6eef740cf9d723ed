"""What the page Health says, as plain classes without Starlette and Kafka: records in, what is drawn out.

`records` (what came), `accuracy` (weeks and what scores promise before labels), `maturity` (how much of the truth is
in), `marks` (moments and incidents on the same axis), `features` (small multiples), `headline` (the sentence on top),
`view` (all of it).
"""

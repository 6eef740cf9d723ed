"""What the page Health says, as plain classes without Starlette and Kafka: records in, what is drawn out.

`records` (what came), `accuracy` (weeks), `estimates` (what scores promise before labels), `maturity` (how much of the
truth is in), `marks` (moments and incidents on the same axis), `features` and `small_multiple` (drift), `headline` (the
sentence on top), `chart` (columns for the script), `view` (all of it). Beside the feed: `kept_records`.
"""

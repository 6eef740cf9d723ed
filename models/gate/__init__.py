"""Is a new model better than the one in use? Every check is named, with its figure, its limit and its verdict.

`gate_rows`: what is judged; `limits`: what is asked for; `gate`: runs the checks; `check` and `report`: what comes out.
`resamples`: whole cards drawn again and again, the same draws for both models and all checks. `average_precision`
proves that the candidate is better, or not worse; `card_precision`, `calibration`, `decisions` and `segments` look for
harm that it does not show; `latency` and `behaviour`, with `amount_rise`, ask the models themselves.
"""

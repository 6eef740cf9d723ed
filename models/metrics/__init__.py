"""How scores are measured: from one ranking of rows to the record of a week.

`ranking`: one figure from one set of rows. `handbook`: which rows and days, by the Fraud Detection Handbook's protocol.
`scored_rows`: what was scored and what is known of it, the input of the rest. `tally` and `intervals`: weighted sums
under resampled cards, and the limits that come of them. `performance`: all figures of rows whose labels are known;
`segments`, `selection` and `estimated` the same by part, with the declines put back, and before labels; `calibration`
and `maturity`: what a score means and how much is known yet. `ledger` with `ledger_settings` and `week_record`: which
weeks are published and restated, and what each record says.
"""

"""Notices that a model slips: what it was used to (`reference`), what came (`day_counts`), and whether the two differ.

`bins` sorts values into cells. `population` tests what came before labels are known, `misses` what turned out to be
missed frauds, `concept` the losses one by one (ADWIN). `calibration` finds the limits on the reference, by the budget
of false alarms. `monitor` runs all tests of one model, `incident` turns alarms into retrain requests, `watch` does both
for every version, `words` says what was found.
"""

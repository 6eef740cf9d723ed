"""Measures accuracy through the stream: a labelled file flows through Kafka, worker and profile keeper in lockstep.

`truth` (the file), `recorder` (what came out), `releases` (models trained on what was recorded), `profile_markers` (how
young the labels were), `handbook` (the run), `report` (its figures as JSON and as a table).
"""

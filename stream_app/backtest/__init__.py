"""What the system would have done on a past: the classes that run on Kafka, wired without it, in event time.

`world` (a file or a simulated bank), `champion` (the model that a day trains), `engine` (the run, day by day), `report`
(its weeks, alarms, warnings and requests), `power` (many simulated banks with and without a new tactic).
"""

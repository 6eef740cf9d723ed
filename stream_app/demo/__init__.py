"""The demo: the whole system on this machine in a few minutes, told step by step and measured from its topics.

plan          sizes and rates of a run
bank          the simulated bank: its past, its traffic, and the truth about it
phases        when the traffic flows, and how fast
sender        the process that sends it
releases      the first model, signed and registered; and a bad one
journal       columns that grow
ledger        what a reader saw of transactions and scores
follower      the thread that reads both
findings      what watch, gate and release loop have published
retrainer     what the retrainer works on, and what became of it
closed_days   which event day the watch has looked at
accounting    lost, duplicated, latency, throughput: from the ledger
swaps         how long each partition waited when the model changed
example       one flagged transaction in an analyst's words
tidings       each of them in a sentence
found         what was found when, what was promoted and rolled back
recall        how much of the fraud was flagged, by the simulator's truth
picture       the same by event day, drawn
narrator      what a person sees while it runs
watching      waits, and tells what is seen meanwhile
measuring     the figures of a run
report        the closing table and demo-report.json
story         the run from beginning to end
"""

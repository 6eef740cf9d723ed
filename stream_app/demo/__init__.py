"""The demo: the whole system on this machine in a few minutes, told step by step and measured from its topics.

plan          sizes and rates of a run
bank          the simulated bank: its past, its traffic, and the truth about it
phases        when the traffic flows, and how fast
sender        the process that sends it
releases      two models from the bank's past, signed and registered
journal       columns that grow
ledger        what a reader saw of transactions and scores
follower      the thread that reads both
findings      what the watch has published
closed_days   which event day the watch has looked at
accounting    lost, duplicated, latency, throughput: from the ledger
swaps         how long each partition waited when the model changed
example       one flagged transaction in an analyst's words
tidings       a finding in a sentence
found         how soon the new tactic was found
narrator      what a person sees while it runs
watching      waits for scores and tells what is seen meanwhile
report        the closing table and demo-report.json
story         the run from beginning to end
"""

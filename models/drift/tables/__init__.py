"""The drift battery over any labelled table: the tests of the live watch, where a block of rows plays the event day.

`table_file` reads a file, `labelled_table` holds it, `blocks` cuts it, `table_model` fits and scores where no scores
are given, `own_variation` says how far a reference is from itself, `table_reference` what is usual, `block_counts` what
came; `table_monitor` runs the tests block by block, `battery` goes through the table and starts again after each alarm,
`table_report` is what comes out.
"""

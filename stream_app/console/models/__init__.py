"""What the models page says and does; plain classes, without Starlette.

reigns        who was champion when, and what was tried beside it
timeline      the same as a drawing
lineage       from the drift event to the release and what came after, step by step
gate          a gate report as rows with their intervals
release       where a release stands, champion beside challenger
card          what a version is
comparison    two versions side by side
verification  whether a stored bundle is what its signature says, and what its features weigh
reading       all of that from Redis
acts          promote, approve, reject, roll back, unfreeze
"""

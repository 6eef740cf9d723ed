"""Who may do what on Kafka and Redis: the rights of each process as data, given, shown and checked.

`kafka_rights` and `redis-users.acl` are the two lists; `kafka_grants` gives the first to a broker, `redis_users` makes
an ACL file of the second, `kafka_requirement` refuses to start without a right, `fresh_secrets` makes passwords and
certificates to begin with.
"""

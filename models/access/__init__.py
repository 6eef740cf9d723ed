"""How a process proves who it is: settings and secrets for Kafka and Redis, from the environment or from files.

`secret` resolves `file:` references, `kafka_settings` renders librdkafka-style settings for both Kafka clients,
`kafka_refusal` tells a refusal from silence, `redis_access` makes every Redis client. No Kafka client is imported here:
producers and stream_app make theirs from what is rendered, the registry connects through `redis_access`.
"""

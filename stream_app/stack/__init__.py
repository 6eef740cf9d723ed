"""A real Kafka and a real Redis on this machine, in one data folder."""

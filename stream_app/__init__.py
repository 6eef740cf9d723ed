"""The processes on Kafka and the command line that starts them."""

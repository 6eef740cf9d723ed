"""What a model is and needs, knowing nothing of Kafka or Faust: schema, features, families, metrics, training, registry."""

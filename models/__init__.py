"""What a model is and needs, without Kafka or Faust: schema, features, families, metrics, training, registry."""

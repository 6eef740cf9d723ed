package fraudstream.peer;

import ai.onnxruntime.OrtException;
import java.io.IOException;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/**
 * Scores transactions with Kafka Streams: the job of `fraudstream score` as one would do it on the JVM.
 *
 * <p>What it leaves out is to its advantage: reason codes, the search for card numbers, dead letters, terminal profiles,
 * swaps of the model, signatures, metrics of its own.
 */
public final class ScoringApp {
    private static final String TRANSACTIONS = "transactions";
    private static final String SCORE = "score";

    private ScoringApp() {
    }

    /** Runs until it is ended; the argument is a mode: memory, durable or exactly-once. */
    public static void main(String[] arguments) throws IOException, OrtException {
        Settings settings = Settings.fromEnvironment();
        Mode mode = Mode.of(arguments[0]);
        if (!settings.featureNames().equals(Columns.NAMES)) {
            throw new IllegalArgumentException("the model has other features than this app computes");
        }
        KafkaStreams streams = new KafkaStreams(topology(settings, mode), properties(settings, mode));
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(10))));
        streams.start();
    }

    private static Topology topology(Settings settings, Mode mode) throws IOException, OrtException {
        Model model = new Model(settings.model());
        ReferenceTables tables = ReferenceTables.read(settings.tables());
        ByteArraySerializer serializer = new ByteArraySerializer();
        ByteArrayDeserializer deserializer = new ByteArrayDeserializer();
        String prefix = settings.topicPrefix();
        return new Topology()
                .addSource(TRANSACTIONS, deserializer, deserializer, prefix + TRANSACTIONS)
                .addProcessor(SCORE, () -> new ScoringProcessor(settings, model, tables), TRANSACTIONS)
                .addStateStore(mode.cards(), SCORE)
                .addStateStore(new PendingRows.Builder(), SCORE)
                .addSink(ScoringProcessor.SCORES, prefix + "scores", serializer, serializer, SCORE)
                .addSink(ScoringProcessor.FEATURES, prefix + "features", serializer, serializer, SCORE);
    }

    private static Properties properties(Settings settings, Mode mode) {
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, settings.topicPrefix() + "kafka-streams");
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, settings.broker());
        properties.put(StreamsConfig.STATE_DIR_CONFIG, settings.stateFolder().toString());
        properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, settings.threads());
        properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, mode.guarantee());
        properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, settings.commitIntervalMs());
        // The blocks of all cards of the bench fit: a card is written once a commit, not once a transaction.
        properties.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 256L << 20);
        properties.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, RocksDbSettings.class);
        // No longer than rows may wait for their batch.
        properties.put(StreamsConfig.POLL_MS_CONFIG, ScoringProcessor.WAIT.toMillis());
        properties.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 4_000);
        properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 4_000);
        properties.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 5);
        properties.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 256 << 10);
        properties.put(StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG), 128L << 20);
        properties.put(StreamsConfig.producerPrefix(ProducerConfig.MAX_REQUEST_SIZE_CONFIG), 8 << 20);
        return properties;
    }
}

package fraudstream.peer;

import ai.onnxruntime.OrtException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.time.Duration;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.internals.InternalProcessorContext;
import org.apache.kafka.streams.processor.internals.ProcessorNode;
import org.apache.kafka.streams.processor.internals.ProcessorRecordContext;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * One partition: features record by record, scores and feature log batch by batch.
 *
 * <p>The model takes 4 us a row in batches and several times that alone. A batch is scored when it is full, every few ms
 * while the partition keeps up (when it is behind, small batches would only add to that), and before a commit, so that
 * no offset is committed whose score has not been sent.
 */
final class ScoringProcessor implements Processor<byte[], byte[], byte[], byte[]> {
    static final String SCORES = "scores";
    static final String FEATURES = "features";
    static final Duration WAIT = Duration.ofMillis(5);
    private static final long WAIT_WHEN_BEHIND_MS = 50;
    private static final long BEHIND_MS = 100;

    private final Settings settings;
    private final Model model;
    private final TransactionReader reader;
    private final CardWindow window = new CardWindow();
    private final ScoreWriter scoreWriter;
    private final FeatureLog featureLog;
    private final Transaction[] transactions;
    private final byte[][] keys;
    private final float[] values;
    private final FloatBuffer input;

    private int rows;
    private long newestMs;
    private long scoredMs;
    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<Bytes, byte[]> cards;

    ScoringProcessor(Settings settings, Model model, ReferenceTables tables) {
        int most = settings.batchRows();
        this.settings = settings;
        this.model = model;
        reader = new TransactionReader(tables);
        scoreWriter = new ScoreWriter(settings.modelVersion(), settings.featureSet());
        featureLog = new FeatureLog(most);
        transactions = new Transaction[most];
        keys = new byte[most][];
        values = new float[most * Columns.WIDTH];
        input = ByteBuffer.allocateDirect(values.length * Float.BYTES).order(ByteOrder.nativeOrder()).asFloatBuffer();
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> given) {
        context = given;
        rows = 0;
        cards = given.getStateStore(Mode.CARDS);
        PendingRows pending = given.getStateStore(PendingRows.NAME);
        InternalProcessorContext<?, ?> internal = (InternalProcessorContext<?, ?>) given;
        ProcessorNode<?, ?, ?, ?> node = internal.currentNode();
        pending.beforeCommit(() -> scoreBeforeCommit(internal, node));
        given.schedule(WAIT, PunctuationType.WALL_CLOCK_TIME, this::scoreInTime);
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        Transaction transaction = read(record.value());
        Bytes card = Bytes.wrap(record.key());
        byte[] stored = cards.get(card);
        int start = rows * Columns.WIDTH;
        byte[] block = window.take(stored, transaction, values, start);
        if (block != stored) {
            cards.put(card, block);
        }
        Columns.fillUnknownTerminal(values, start);
        transaction.duplicate = (window.status() & CardWindow.DUPLICATE) != 0;
        transaction.offset = context.recordMetadata().orElseThrow().offset();
        transactions[rows] = transaction;
        keys[rows] = record.key();
        newestMs = record.timestamp();
        rows++;
        if (rows == transactions.length) {
            score();
        }
    }

    private Transaction read(byte[] message) {
        try {
            return reader.read(message);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private void scoreInTime(long nowMs) {
        if (nowMs - newestMs < BEHIND_MS || nowMs - scoredMs >= WAIT_WHEN_BEHIND_MS) {
            score();
        }
    }

    private void scoreBeforeCommit(InternalProcessorContext<?, ?> internal, ProcessorNode<?, ?, ?, ?> node) {
        if (rows == 0) {
            return;
        }
        ProcessorNode<?, ?, ?, ?> nodeBefore = internal.currentNode();
        ProcessorRecordContext recordBefore = internal.recordContext();
        try {
            internal.setCurrentNode(node);
            internal.setRecordContext(
                    new ProcessorRecordContext(internal.currentSystemTimeMs(), -1, -1, null, new RecordHeaders()));
            score();
        } finally {
            internal.setCurrentNode(nodeBefore);
            internal.setRecordContext(recordBefore);
        }
    }

    private void score() {
        if (rows == 0) {
            return;
        }
        int width = rows * Columns.WIDTH;
        input.clear().put(values, 0, width).flip();
        float[] scores = scored();
        long nowMs = System.currentTimeMillis();
        for (int row = 0; row < rows; row++) {
            Decision decision = Decision.of(scores[row], settings);
            byte[] score = scoreWriter.write(transactions[row], scores[row], decision, nowMs);
            context.forward(new Record<>(keys[row], score, nowMs), SCORES);
        }
        byte[] message = featureLog.write(transactions, rows, values, scores, settings);
        context.forward(new Record<>(keys[0], message, nowMs), FEATURES);  // the first card's key: the same partition
        rows = 0;
        scoredMs = nowMs;
    }

    private float[] scored() {
        try {
            return model.score(input, rows);
        } catch (OrtException error) {
            throw new IllegalStateException("the model cannot score", error);
        }
    }
}

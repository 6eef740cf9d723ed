package fraudstream.peer;

import com.dslplatform.json.DslJson;
import com.dslplatform.json.JsonWriter;
import com.dslplatform.json.NumberConverter;
import java.nio.charset.StandardCharsets;

/** Scores to JSON with the fields of models/schema/score.py, without reason codes. Not safe for two threads. */
final class ScoreWriter {
    private static final byte[] TRANSACTION_ID = ascii("{\"transaction_id\":");
    private static final byte[] EVENT_TIME = ascii(",\"event_time\":");
    private static final byte[] CARD_ID = ascii(",\"card_id\":");
    private static final byte[] SCORE = ascii(",\"score\":");
    private static final byte[] SCORE_SCALED = ascii(",\"score_scaled\":");
    private static final byte[] SCORED_AT = ascii(",\"role\":\"champion\",\"scored_at\":");
    private static final byte[] DUPLICATE = ascii(",\"degraded\":false,\"duplicate\":true,\"source_offset\":");
    private static final byte[] ORIGINAL = ascii(",\"degraded\":false,\"duplicate\":false,\"source_offset\":");
    private static final byte[] END = ascii(",\"epoch\":0,\"writer\":\"jvm\",\"schema_version\":1}");

    private final JsonWriter writer = new DslJson<>().newWriter();
    private final byte[][] decided = new byte[Decision.values().length][];

    ScoreWriter(String modelVersion, String featureSet) {
        for (Decision decision : Decision.values()) {
            decided[decision.ordinal()] = ascii(
                    ",\"decision\":\"" + decision.word() + "\",\"reason_codes\":[],\"model_version\":\"" + modelVersion
                    + "\",\"feature_set\":\"" + featureSet + '"');
        }
    }

    byte[] write(Transaction transaction, float score, Decision decision, long nowMs) {
        writer.reset();
        writer.writeAscii(TRANSACTION_ID);
        writer.writeString(transaction.transactionId);
        writer.writeAscii(EVENT_TIME);
        NumberConverter.serialize(transaction.eventTime, writer);
        writer.writeAscii(CARD_ID);
        writer.writeString(transaction.cardId);
        writer.writeAscii(SCORE);
        writeShare(score);
        writer.writeAscii(SCORE_SCALED);
        NumberConverter.serialize((long) Math.min(score * 1000.0, 999.0), writer);
        writer.writeAscii(decided[decision.ordinal()]);
        writer.writeAscii(SCORED_AT);
        NumberConverter.serialize(nowMs, writer);
        writer.writeAscii(transaction.duplicate ? DUPLICATE : ORIGINAL);
        NumberConverter.serialize(transaction.offset, writer);
        writer.writeAscii(END);
        return writer.toByteArray();
    }

    /** Nine decimals of a number from 0 to 1: the shortest text that reads back as the float takes longer. */
    private void writeShare(float share) {
        long billionths = Math.round(share * 1e9);
        writer.writeByte((byte) ('0' + billionths / 1_000_000_000L));
        writer.writeByte((byte) '.');
        for (long unit = 100_000_000L; unit > 0; unit /= 10) {
            writer.writeByte((byte) ('0' + billionths / unit % 10));
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}

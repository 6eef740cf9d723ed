package fraudstream.peer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * The rows of a batch as one message: what `fraudstream score` logs of each, and its features as float32.
 *
 * <p>Little-endian: int32 rows, int32 features; then for each row int64 source_offset, event_time and amount_minor,
 * float32 score, int8 decision, the seven texts transaction_id, card_id, terminal_id, currency, mcc, merchant_country
 * and channel, each behind an int8 length (absent ones are empty); then the features of all rows.
 */
final class FeatureLog {
    private static final int FIXED_BYTES = 3 * Long.BYTES + Float.BYTES + 1;
    private static final int LONGEST_TEXT_BYTES = 127;
    private static final int TEXTS = 7;

    private final ByteBuffer message;

    FeatureLog(int rows) {
        int rowBytes = FIXED_BYTES + TEXTS * (1 + LONGEST_TEXT_BYTES) + Columns.WIDTH * Float.BYTES;
        message = ByteBuffer.allocate(2 * Integer.BYTES + rows * rowBytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    byte[] write(Transaction[] transactions, int rows, float[] values, float[] scores, Settings settings) {
        message.clear();
        message.putInt(rows).putInt(Columns.WIDTH);
        for (int row = 0; row < rows; row++) {
            Transaction one = transactions[row];
            message.putLong(one.offset).putLong(one.eventTime).putLong(one.amountMinor).putFloat(scores[row]);
            message.put((byte) Decision.of(scores[row], settings).ordinal());
            put(one.transactionId);
            put(one.cardId);
            put(one.terminalId);
            put(one.currency);
            put(one.mcc);
            put(one.merchantCountry);
            put(one.channel);
        }
        int width = rows * Columns.WIDTH;
        message.asFloatBuffer().put(values, 0, width);
        message.position(message.position() + width * Float.BYTES);
        byte[] written = new byte[message.position()];
        message.flip().get(written);
        return written;
    }

    private void put(String text) {
        if (text == null) {
            message.put((byte) 0);
            return;
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int length = Math.min(bytes.length, LONGEST_TEXT_BYTES);
        message.put((byte) length).put(bytes, 0, length);
    }
}

package fraudstream.peer;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** One stored transaction of a card: 32 bytes of a block, read and written in place. See models/features/card_entry.py. */
final class Entry {
    static final int BYTES = 32;
    static final int STAMP_BITS = 18;
    static final long NIGHT = 1L << 17;
    static final long WEEKEND = 1L << 16;
    static final long HOUR_MS = 3_600_000L;
    static final long DAY_MS = 24 * HOUR_MS;
    static final long WINDOW_MS = 30 * DAY_MS;
    static final long LATENESS_MS = DAY_MS;
    static final long STORED_MS = WINDOW_MS + LATENESS_MS;
    static final long LONGEST_GAP = (1L << 32) - 1;
    static final long LARGEST_AMOUNT = Integer.MAX_VALUE;

    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int TRANSACTION = 8;
    private static final int AMOUNT = 16;
    private static final int TERMINAL = 20;
    private static final int TERMINAL_GAP = 24;
    private static final int COUNTRY_GAP = 28;

    private Entry() {
    }

    static long stamp(byte[] block, int i) {
        return (long) LONGS.get(block, i * BYTES);
    }

    static long time(byte[] block, int i) {
        return stamp(block, i) >> STAMP_BITS;
    }

    static long country(byte[] block, int i) {
        return stamp(block, i) >> 6 & 0x3FF;
    }

    static long transaction(byte[] block, int i) {
        return (long) LONGS.get(block, i * BYTES + TRANSACTION);
    }

    static long amount(byte[] block, int i) {
        return (int) INTS.get(block, i * BYTES + AMOUNT);
    }

    static int terminal(byte[] block, int i) {
        return (int) INTS.get(block, i * BYTES + TERMINAL);
    }

    static long terminalGap(byte[] block, int i) {
        return (int) INTS.get(block, i * BYTES + TERMINAL_GAP) & LONGEST_GAP;
    }

    static long countryGap(byte[] block, int i) {
        return (int) INTS.get(block, i * BYTES + COUNTRY_GAP) & LONGEST_GAP;
    }

    static void setTerminalGap(byte[] block, int i, long gap) {
        INTS.set(block, i * BYTES + TERMINAL_GAP, (int) gap);
    }

    static void setCountryGap(byte[] block, int i, long gap) {
        INTS.set(block, i * BYTES + COUNTRY_GAP, (int) gap);
    }

    static void write(byte[] block, int i, long stamp, long transaction, long amount, int terminal) {
        LONGS.set(block, i * BYTES, stamp);
        LONGS.set(block, i * BYTES + TRANSACTION, transaction);
        INTS.set(block, i * BYTES + AMOUNT, (int) amount);
        INTS.set(block, i * BYTES + TERMINAL, terminal);
    }
}

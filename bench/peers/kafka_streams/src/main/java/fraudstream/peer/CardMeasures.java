package fraudstream.peer;

/**
 * Computes a transaction's own and card features in one walk over its card's block, newest first.
 *
 * <p>Sums are of whole minor units and are divided at the end, so the numbers equal those of
 * models/features/card_measures.py bit by bit. Not safe for two threads: it reuses its lines.
 */
final class CardMeasures {
    private static final long[] WINDOW_MS = {
        Entry.DAY_MS / 144, Entry.HOUR_MS, Entry.DAY_MS, 7 * Entry.DAY_MS, 14 * Entry.DAY_MS, 30 * Entry.DAY_MS,
    };
    private static final int WINDOWS = WINDOW_MS.length;
    private static final int HOUR = 1;
    private static final int DAY = 2;
    private static final int WEEK = 3;
    private static final int MONTH = 5;
    private static final int[] DISTINCT_WINDOWS = {DAY, WEEK, MONTH};
    private static final int SMALL_AMOUNT = 500;
    private static final double LONGEST_HOURS = (double) Entry.WINDOW_MS / Entry.HOUR_MS;

    private final int[] counts = new int[WINDOWS];
    private long[] times = new long[256];
    private long[] amounts = new long[256];
    private long[] marked = new long[256];
    private long[] terminalBefore = new long[256];
    private long[] countryBefore = new long[256];

    /** The low bits of a stamp. */
    static long marks(long now, int country, int channel, int entryMode) {
        boolean night = now / Entry.HOUR_MS % 24 < 6;
        boolean weekend = (now / Entry.DAY_MS + 3) % 7 >= 5;
        return (night ? Entry.NIGHT : 0) | (weekend ? Entry.WEEKEND : 0)
                | (long) country << 6 | (long) channel << 3 | entryMode;
    }

    /**
     * Fills a row's own and card columns.
     *
     * @param stop entries from 0 up to it lie at or before {@code now}, oldest first
     * @param skip an entry to leave out, -1 for none
     * @param horizon event time at and before which nothing is looked at
     */
    void fill(byte[] block, int stop, int skip, long horizon, long now, long amount, int terminal, long marks,
            int merchantGroup, float[] values, int start) {
        makeRoom(stop);
        fillOwn(now, amount, marks, merchantGroup, values, start);
        unpack(block, stop, skip, horizon, now, terminal, values, start);
        fillDistinct(horizon, now, values, start);
        fillShares(now, marks, values, start);
        fillAmounts(now, amount, values, start);
    }

    private void makeRoom(int entries) {
        if (entries > times.length) {
            int room = 2 * entries;
            times = new long[room];
            amounts = new long[room];
            marked = new long[room];
            terminalBefore = new long[room];
            countryBefore = new long[room];
        }
    }

    private static void fillOwn(long now, long amount, long marks, int merchantGroup, float[] values, int start) {
        values[start + Columns.AMOUNT] = (float) (amount / 100.0);
        values[start + Columns.AMOUNT_IS_ROUND] = amount % 1000 == 0 ? 1 : 0;
        values[start + Columns.HOUR_OF_DAY] = (float) ((double) (now % Entry.DAY_MS) / Entry.HOUR_MS);
        values[start + Columns.IS_NIGHT] = (marks & Entry.NIGHT) != 0 ? 1 : 0;
        values[start + Columns.IS_WEEKEND] = (marks & Entry.WEEKEND) != 0 ? 1 : 0;
        values[start + Columns.CHANNEL] = marks >> 3 & 7;
        values[start + Columns.ENTRY_MODE] = marks & 7;
        values[start + Columns.MERCHANT_GROUP] = merchantGroup;
        values[start + Columns.COUNTRY] = marks >> 6 & 0x3FF;
    }

    private void unpack(
            byte[] block, int stop, int skip, long horizon, long now, int terminal, float[] values, int start) {
        int sameTerminal = 0;
        long lastThere = -1;
        int count = 0;
        int i = stop - 1;
        for (int window = 0; window < WINDOWS; window++) {
            long border = Math.max(now - WINDOW_MS[window], horizon);
            for (; i >= 0; i--) {
                long stamp = Entry.stamp(block, i);
                long at = stamp >> Entry.STAMP_BITS;
                if (at <= border) {
                    break;
                }
                if (i == skip) {
                    continue;
                }
                times[count] = at;
                amounts[count] = Entry.amount(block, i);
                marked[count] = stamp;
                terminalBefore[count] = at - Entry.terminalGap(block, i);
                countryBefore[count] = at - Entry.countryGap(block, i);
                count++;
                if (Entry.terminal(block, i) == terminal) {
                    sameTerminal++;
                    lastThere = Math.max(lastThere, at);
                }
            }
            counts[window] = count;
        }
        values[start + Columns.SAME_TERMINAL_30D] = sameTerminal;
        values[start + Columns.IS_NEW_TERMINAL] = sameTerminal == 0 ? 1 : 0;
        values[start + Columns.HOURS_SINCE_SAME_TERMINAL] = hours(now, lastThere);
        values[start + Columns.HOURS_SINCE_LAST] = count > 0 ? hours(now, times[0]) : (float) LONGEST_HOURS;
        values[start + Columns.HISTORY_DAYS] =
                count > 0 ? (float) ((double) (now - times[count - 1]) / Entry.DAY_MS) : 0;
    }

    /** Counts those whose predecessor at the same terminal, or in the same country, lies before the window. */
    private void fillDistinct(long horizon, long now, float[] values, int start) {
        for (int k = 0; k < DISTINCT_WINDOWS.length; k++) {
            int window = DISTINCT_WINDOWS[k];
            long border = Math.max(now - WINDOW_MS[window], horizon);
            values[start + Columns.TERMINALS + k] = atOrBefore(terminalBefore, counts[window], border);
            if (window != WEEK) {
                values[start + Columns.COUNTRIES + k / 2] = atOrBefore(countryBefore, counts[window], border);
            }
        }
    }

    private static long atOrBefore(long[] line, int count, long border) {
        long found = 0;
        for (int i = 0; i < count; i++) {
            found += line[i] - border - 1 >>> 63;  // the sign: without a branch
        }
        return found;
    }

    private void fillShares(long now, long marks, float[] values, int start) {
        int count = counts[MONTH];
        int sameCountry = 0;
        int sameChannel = 0;
        int sameMode = 0;
        int nights = 0;
        int weekends = 0;
        for (int i = 0; i < count; i++) {
            long differing = marked[i] ^ marks;
            sameCountry += (differing & 0x3FF << 6) == 0 ? 1 : 0;
            sameChannel += (differing & 7 << 3) == 0 ? 1 : 0;
            sameMode += (differing & 7) == 0 ? 1 : 0;
            nights += (int) (marked[i] >> 17 & 1);
            weekends += (int) (marked[i] >> 16 & 1);
        }
        long lastElsewhere = -1;
        if (sameCountry < count) {
            int i = 0;
            while (((marked[i] ^ marks) & 0x3FF << 6) == 0) {
                i++;
            }
            lastElsewhere = times[i];
        }
        double whole = Math.max(count, 1);
        values[start + Columns.IS_NEW_COUNTRY] = sameCountry == 0 ? 1 : 0;
        values[start + Columns.CHANNEL_SHARE_30D] = (float) (sameChannel / whole);
        values[start + Columns.ENTRY_MODE_SHARE_30D] = (float) (sameMode / whole);
        values[start + Columns.NIGHT_SHARE_30D] = (float) (nights / whole);
        values[start + Columns.WEEKEND_SHARE_30D] = (float) (weekends / whole);
        values[start + Columns.HOURS_SINCE_OTHER_COUNTRY] = hours(now, lastElsewhere);
    }

    /** The mean of the amounts up to twice the mean, taken twice, in whole minor units. */
    private long usual(int count) {
        long total = 0;
        for (int i = 0; i < count; i++) {
            total += amounts[i];
        }
        long usual = total / Math.max(count, 1);
        for (int round = 0; round < 2; round++) {
            long ceiling = 2 * usual;
            long kept = 0;
            total = 0;
            for (int i = 0; i < count; i++) {
                long within = amounts[i] - ceiling - 1 >>> 63;
                total += amounts[i] & -within;
                kept += within;
            }
            usual = total / Math.max(kept, 1);
        }
        return usual;
    }

    private void fillAmounts(long now, long amount, float[] values, int start) {
        int count = counts[MONTH];
        long usual = usual(count);
        long ceiling = 2 * usual;
        long scale = Math.max(usual, 1);
        long total = 0;
        long largest = 0;
        long small = 0;
        long outliers = 0;
        long spread = 0;
        int done = 0;
        for (int window = 0; window < WINDOWS; window++) {
            for (int i = done; i < counts[window]; i++) {
                long one = amounts[i];
                total += one;
                largest = Math.max(largest, one);
                small += one - SMALL_AMOUNT - 1 >>> 63;
                spread += Math.abs(one - usual);
                outliers += ceiling - one >>> 63;
            }
            done = counts[window];
            values[start + Columns.COUNT + window] = done;
            if (window >= DAY) {
                values[start + Columns.MEAN + window - DAY] = (float) ((double) total / Math.max(done, 1) / 100.0);
                values[start + Columns.OUTLIERS + window - DAY] = outliers;
            }
            if (window == HOUR) {
                values[start + Columns.SMALL_COUNT_1H] = small;
            } else if (window == DAY) {
                values[start + Columns.SMALL_COUNT_1D] = small;
                values[start + Columns.MAX_TO_USUAL_1D] = (float) ((double) largest / scale);
            } else if (window == WEEK) {
                values[start + Columns.MAX_TO_USUAL_7D] = (float) ((double) largest / scale);
                values[start + Columns.AMOUNT_TO_MEAN_7D] =
                        done > 0 ? (float) ((double) (amount * done) / Math.max(total, 1)) : 1;
            }
        }
        values[start + Columns.USUAL_AMOUNT] = (float) (usual / 100.0);
        values[start + Columns.AMOUNT_TO_USUAL] = count > 0 ? (float) ((double) amount / scale) : 1;
        values[start + Columns.AMOUNT_TO_MAX_30D] = count > 0 ? (float) ((double) amount / Math.max(largest, 1)) : 1;
        long least = Math.max(Math.max(spread, count * usual / 10), 1);
        values[start + Columns.AMOUNT_DEVIATION] =
                count > 0 ? (float) ((double) ((amount - usual) * count) / least) : 0;
        long lastOutlier = -1;
        if (outliers > 0) {
            int i = 0;
            while (amounts[i] <= ceiling) {
                i++;
            }
            lastOutlier = times[i];
        }
        values[start + Columns.HOURS_SINCE_OUTLIER] = hours(now, lastOutlier);
    }

    private static float hours(long now, long then) {
        return (float) (then >= 0 ? (double) (now - then) / Entry.HOUR_MS : LONGEST_HOURS);
    }
}

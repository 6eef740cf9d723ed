package fraudstream.peer;

/**
 * Takes one transaction of a card: measures it against the card's stored ones, then stores it in event-time order.
 *
 * <p>A card's block is a value of the state store, so a new one is made for each transaction and the old is left as it is.
 * The counterpart of models/features/card_windows.py.
 */
final class CardWindow {
    static final int DUPLICATE = 1;
    static final int TOO_LATE = 2;
    static final int LATE = 4;
    private static final byte[] NOTHING = new byte[0];

    private final CardMeasures measures = new CardMeasures();
    private int status;

    /** What became of the last transaction: bits DUPLICATE, TOO_LATE (neither counts) and LATE (inserted in order). */
    int status() {
        return status;
    }

    /**
     * Fills the card's features and returns the block to store; the same block where the transaction does not count.
     *
     * @param stored the card's block, null for a new card
     * @param values where the row's features go, from {@code start} on
     */
    byte[] take(byte[] stored, Transaction transaction, float[] values, int start) {
        byte[] block = stored == null ? NOTHING : stored;
        int length = block.length / Entry.BYTES;
        long now = transaction.eventTime;
        long amount = Math.min(transaction.reportedAmount, Entry.LARGEST_AMOUNT);
        int terminal = (int) (Hash.of(transaction.terminalId) >>> 32);
        long id = Hash.of(transaction.transactionId);
        long marks = CardMeasures.marks(now, transaction.country, transaction.channelCode, transaction.entryMode);
        long newest = length > 0 ? Entry.time(block, length - 1) : now;
        long horizon = newest - Entry.STORED_MS;
        int position = length;
        while (position > 0 && Entry.time(block, position - 1) > now) {
            position--;
        }
        int twin = find(block, length, horizon, id);
        int until = twin >= 0 && Entry.time(block, twin) == now ? twin : position;
        measures.fill(block, until, twin, horizon, now, amount, terminal, marks, transaction.merchantGroup, values, start);
        if (twin >= 0 || now < newest - Entry.LATENESS_MS) {
            status = (twin >= 0 ? DUPLICATE : 0) | (now < newest - Entry.LATENESS_MS ? TOO_LATE : 0);
            return block;
        }
        status = now < newest ? LATE : 0;
        return inserted(block, length, position, Math.max(horizon, now - Entry.STORED_MS),
                now << Entry.STAMP_BITS | marks, id, amount, terminal);
    }

    private static int find(byte[] block, int length, long horizon, long id) {
        for (int i = length - 1; i >= 0 && Entry.time(block, i) > horizon; i--) {
            if (Entry.transaction(block, i) == id) {
                return i;
            }
        }
        return -1;
    }

    private static byte[] inserted(
            byte[] block, int length, int at, long horizon, long stamp, long id, long amount, int terminal) {
        int gone = 0;
        while (gone < at && Entry.time(block, gone) <= horizon) {
            gone++;
        }
        int position = at - gone;
        byte[] grown = new byte[(length - gone + 1) * Entry.BYTES];
        System.arraycopy(block, gone * Entry.BYTES, grown, 0, position * Entry.BYTES);
        System.arraycopy(block, at * Entry.BYTES, grown, (position + 1) * Entry.BYTES, (length - at) * Entry.BYTES);
        Entry.write(grown, position, stamp, id, amount, terminal);
        noteGaps(grown, position);
        shortenNextGaps(grown, position);
        return grown;
    }

    /** Notes the ms since the card was last at this terminal and in this country. */
    private static void noteGaps(byte[] block, int position) {
        long now = Entry.time(block, position);
        int terminal = Entry.terminal(block, position);
        long country = Entry.country(block, position);
        long terminalGap = Entry.LONGEST_GAP;
        long countryGap = Entry.LONGEST_GAP;
        for (int i = position - 1; i >= 0 && Math.max(terminalGap, countryGap) == Entry.LONGEST_GAP; i--) {
            long gap = now - Entry.time(block, i);
            if (gap >= Entry.WINDOW_MS) {
                break;
            }
            if (terminalGap == Entry.LONGEST_GAP && Entry.terminal(block, i) == terminal) {
                terminalGap = gap;
            }
            if (countryGap == Entry.LONGEST_GAP && Entry.country(block, i) == country) {
                countryGap = gap;
            }
        }
        Entry.setTerminalGap(block, position, terminalGap);
        Entry.setCountryGap(block, position, countryGap);
    }

    /** After a late insertion the next transactions at its terminal and in its country have a nearer predecessor. */
    private static void shortenNextGaps(byte[] block, int position) {
        int length = block.length / Entry.BYTES;
        long now = Entry.time(block, position);
        int terminal = Entry.terminal(block, position);
        long country = Entry.country(block, position);
        boolean terminalOpen = true;
        boolean countryOpen = true;
        for (int i = position + 1; i < length && (terminalOpen || countryOpen); i++) {
            long gap = Entry.time(block, i) - now;
            if (terminalOpen && Entry.terminal(block, i) == terminal) {
                Entry.setTerminalGap(block, i, Math.min(Entry.terminalGap(block, i), gap));
                terminalOpen = false;
            }
            if (countryOpen && Entry.country(block, i) == country) {
                Entry.setCountryGap(block, i, Math.min(Entry.countryGap(block, i), gap));
                countryOpen = false;
            }
        }
    }
}

package fraudstream.peer;

/** A decoded transaction, and where it stood; texts are null where the message has none. */
final class Transaction {
    String transactionId;
    long eventTime;
    String cardId;
    String terminalId;
    long amountMinor;
    String currency;
    String mcc;
    String merchantCountry;
    String channel;
    /** Minor units of the reporting currency. */
    long reportedAmount;
    int country;
    int channelCode;
    int entryMode;
    int merchantGroup;
    long offset;
    boolean duplicate;
}

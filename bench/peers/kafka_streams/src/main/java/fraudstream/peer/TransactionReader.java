package fraudstream.peer;

import com.dslplatform.json.DslJson;
import com.dslplatform.json.JsonReader;
import com.dslplatform.json.NumberConverter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** JSON to transactions, by dsl-json's streaming reader. Of what is not needed nothing is kept. Not safe for two threads. */
final class TransactionReader {
    private static final int TRANSACTION_ID = nameHash("transaction_id");
    private static final int EVENT_TIME = nameHash("event_time");
    private static final int CARD_ID = nameHash("card_id");
    private static final int TERMINAL_ID = nameHash("terminal_id");
    private static final int AMOUNT_MINOR = nameHash("amount_minor");
    private static final int CURRENCY = nameHash("currency");
    private static final int MCC = nameHash("mcc");
    private static final int MERCHANT_COUNTRY = nameHash("merchant_country");
    private static final int CHANNEL = nameHash("channel");
    private static final int ENTRY_MODE = nameHash("entry_mode");

    private final JsonReader<Object> reader = new DslJson<>().newReader();
    private final ReferenceTables tables;

    TransactionReader(ReferenceTables tables) {
        this.tables = tables;
    }

    Transaction read(byte[] message) throws IOException {
        Transaction transaction = new Transaction();
        reader.process(message, message.length);
        if (reader.getNextToken() != '{') {
            throw new IOException("a transaction is a JSON object");
        }
        do {
            reader.getNextToken();
            int name = reader.fillName();
            reader.getNextToken();
            if (readField(name, transaction)) {
                reader.getNextToken();
            } else {
                reader.skip();
            }
        } while (reader.last() == ',');
        if (transaction.cardId == null || transaction.transactionId == null || transaction.terminalId == null) {
            throw new IOException("a transaction has a transaction_id, a card_id and a terminal_id");
        }
        transaction.reportedAmount = tables.reported(transaction.amountMinor, transaction.currency);
        transaction.country = tables.country(transaction.merchantCountry);
        transaction.channelCode = tables.channel(transaction.channel);
        transaction.merchantGroup = tables.merchantGroup(transaction.mcc);
        return transaction;
    }

    private boolean readField(int name, Transaction transaction) throws IOException {
        if (name == TRANSACTION_ID) {
            transaction.transactionId = reader.readString();
        } else if (name == EVENT_TIME) {
            transaction.eventTime = NumberConverter.deserializeLong(reader);
        } else if (name == CARD_ID) {
            transaction.cardId = reader.readString();
        } else if (name == TERMINAL_ID) {
            transaction.terminalId = reader.readString();
        } else if (name == AMOUNT_MINOR) {
            transaction.amountMinor = NumberConverter.deserializeLong(reader);
        } else if (name == CURRENCY) {
            transaction.currency = reader.readString();
        } else if (reader.last() == 'n') {
            return false;
        } else if (name == MCC) {
            transaction.mcc = reader.readString();
        } else if (name == MERCHANT_COUNTRY) {
            transaction.merchantCountry = reader.readString();
        } else if (name == CHANNEL) {
            transaction.channel = reader.readString();
        } else if (name == ENTRY_MODE) {
            transaction.entryMode = tables.entryMode(reader.readString());
        } else {
            return false;
        }
        return true;
    }

    /** The hash that JsonReader.fillName gives. */
    private static int nameHash(String name) {
        long hash = 0x811c9dc5;
        for (byte one : name.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ one) * 0x1000193;
        }
        return (int) hash;
    }
}

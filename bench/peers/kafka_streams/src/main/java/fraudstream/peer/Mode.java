package fraudstream.peer;

import java.util.Locale;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** What is kept over a restart. */
enum Mode {
    /** Nothing: the cards' windows lie on the heap. */
    MEMORY,
    /** RocksDB and a changelog topic behind a cache; at least once. */
    DURABLE,
    /** The same, exactly once. */
    EXACTLY_ONCE;

    static final String CARDS = "cards";

    static Mode of(String name) {
        return valueOf(name.toUpperCase(Locale.ROOT).replace('-', '_'));
    }

    String guarantee() {
        return this == EXACTLY_ONCE ? StreamsConfig.EXACTLY_ONCE_V2 : StreamsConfig.AT_LEAST_ONCE;
    }

    StoreBuilder<KeyValueStore<Bytes, byte[]>> cards() {
        if (this == MEMORY) {
            return Stores.keyValueStoreBuilder(
                    Stores.inMemoryKeyValueStore(CARDS), Serdes.Bytes(), Serdes.ByteArray()).withLoggingDisabled();
        }
        return Stores.keyValueStoreBuilder(
                Stores.persistentKeyValueStore(CARDS), Serdes.Bytes(), Serdes.ByteArray()).withCachingEnabled();
    }
}

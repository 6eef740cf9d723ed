package fraudstream.peer;

import java.util.Map;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.internals.CacheFlushListener;
import org.apache.kafka.streams.state.internals.CachedStateStore;

/**
 * Tells the processor that a commit is near, so that it scores what it has gathered before its offsets are committed.
 *
 * <p>Kafka Streams has no public hook for that; its own caching stores use this one, and send from it as well.
 */
final class PendingRows implements StateStore, CachedStateStore<byte[], byte[]> {
    static final String NAME = "pending-rows";

    private Runnable beforeCommit = () -> { };
    private boolean open;

    void beforeCommit(Runnable action) {
        beforeCommit = action;
    }

    @Override
    public void flushCache() {
        beforeCommit.run();
    }

    @Override
    public void clearCache() {
        // Nothing is cached here.
    }

    @Override
    public boolean setFlushListener(CacheFlushListener<byte[], byte[]> listener, boolean sendOldValues) {
        return false;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public void init(StateStoreContext context, StateStore root) {
        context.register(root, (key, value) -> { });
        open = true;
    }

    @Override
    public void flush() {
        flushCache();
    }

    @Override
    public void close() {
        open = false;
    }

    @Override
    public boolean persistent() {
        return false;
    }

    @Override
    public boolean isOpen() {
        return open;
    }

    /** Builds one for each partition. */
    static final class Builder implements StoreBuilder<PendingRows> {
        @Override
        public StoreBuilder<PendingRows> withCachingEnabled() {
            return this;
        }

        @Override
        public StoreBuilder<PendingRows> withCachingDisabled() {
            return this;
        }

        @Override
        public StoreBuilder<PendingRows> withLoggingEnabled(Map<String, String> config) {
            throw new UnsupportedOperationException("what is pending is read again");
        }

        @Override
        public StoreBuilder<PendingRows> withLoggingDisabled() {
            return this;
        }

        @Override
        public PendingRows build() {
            return new PendingRows();
        }

        @Override
        public Map<String, String> logConfig() {
            return Map.of();
        }

        @Override
        public boolean loggingEnabled() {
            return false;
        }

        @Override
        public String name() {
            return NAME;
        }
    }
}

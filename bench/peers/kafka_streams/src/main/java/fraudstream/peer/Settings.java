package fraudstream.peer;

import java.nio.file.Path;
import java.util.List;

/** What the app is told, by environment variables; jvm.py sets them all. */
record Settings(
        String broker, String topicPrefix, Path model, float review, float decline, String modelVersion,
        String featureSet, List<String> featureNames, Path tables, Path stateFolder, int threads, int batchRows,
        long commitIntervalMs) {

    static Settings fromEnvironment() {
        return new Settings(
                required("BROKER"), required("TOPIC_PREFIX"), Path.of(required("MODEL")),
                Float.parseFloat(required("REVIEW")), Float.parseFloat(required("DECLINE")), required("MODEL_VERSION"),
                required("FEATURE_SET"), List.of(required("FEATURE_NAMES").split(",")), Path.of(required("TABLES")),
                Path.of(required("STATE_FOLDER")), Integer.parseInt(required("THREADS")),
                Integer.parseInt(required("BATCH_ROWS")), Long.parseLong(required("COMMIT_INTERVAL_MS")));
    }

    private static String required(String name) {
        String value = System.getenv(name);
        if (value == null) {
            throw new IllegalArgumentException("set " + name);
        }
        return value;
    }
}

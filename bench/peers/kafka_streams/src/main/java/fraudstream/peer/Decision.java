package fraudstream.peer;

import java.util.Locale;

/** What is decided about a transaction. */
enum Decision {
    APPROVE,
    REVIEW,
    DECLINE;

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    static Decision of(float score, Settings settings) {
        if (score >= settings.decline()) {
            return DECLINE;
        }
        return score >= settings.review() ? REVIEW : APPROVE;
    }
}

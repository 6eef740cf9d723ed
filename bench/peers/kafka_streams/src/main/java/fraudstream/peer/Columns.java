package fraudstream.peer;

import java.util.Arrays;
import java.util.List;

/** The columns of a feature row, in order; the app compares them at its start with those of the model. */
final class Columns {
    static final List<String> NAMES = List.of((
            "amount amount_is_round hour_of_day is_night is_weekend channel entry_mode merchant_group country "
            + "card_count_10m card_count_1h card_count_1d card_count_7d card_count_14d card_count_30d "
            + "card_mean_1d card_mean_7d card_mean_14d card_mean_30d "
            + "card_outliers_1d card_outliers_7d card_outliers_14d card_outliers_30d "
            + "card_small_count_1h card_small_count_1d "
            + "card_usual_amount card_amount_to_usual card_amount_to_mean_7d card_amount_to_max_30d "
            + "card_amount_deviation card_max_to_usual_1d card_max_to_usual_7d "
            + "card_hours_since_last card_hours_since_outlier card_hours_since_same_terminal "
            + "card_hours_since_other_country card_terminals_1d card_terminals_7d card_terminals_30d "
            + "card_countries_1d card_countries_30d card_is_new_terminal card_is_new_country card_same_terminal_30d "
            + "card_night_share_30d card_weekend_share_30d card_channel_share_30d card_entry_mode_share_30d "
            + "card_history_days "
            + "terminal_approved_1d terminal_approved_7d terminal_approved_14d terminal_approved_30d "
            + "terminal_frauds_1d terminal_frauds_7d terminal_frauds_14d terminal_frauds_30d "
            + "terminal_unexplained_1d terminal_unexplained_7d terminal_unexplained_14d terminal_unexplained_30d "
            + "terminal_risk_1d terminal_risk_7d terminal_risk_14d terminal_risk_30d "
            + "terminal_declines_7d terminal_declines_30d "
            + "terminal_days_since_first_unexplained terminal_days_since_last_genuine terminal_days_since_fraud_run")
            .split(" "));
    static final int WIDTH = NAMES.size();

    static final int AMOUNT = at("amount");
    static final int AMOUNT_IS_ROUND = at("amount_is_round");
    static final int HOUR_OF_DAY = at("hour_of_day");
    static final int IS_NIGHT = at("is_night");
    static final int IS_WEEKEND = at("is_weekend");
    static final int CHANNEL = at("channel");
    static final int ENTRY_MODE = at("entry_mode");
    static final int MERCHANT_GROUP = at("merchant_group");
    static final int COUNTRY = at("country");
    static final int COUNT = at("card_count_10m");
    static final int MEAN = at("card_mean_1d");
    static final int OUTLIERS = at("card_outliers_1d");
    static final int SMALL_COUNT_1H = at("card_small_count_1h");
    static final int SMALL_COUNT_1D = at("card_small_count_1d");
    static final int USUAL_AMOUNT = at("card_usual_amount");
    static final int AMOUNT_TO_USUAL = at("card_amount_to_usual");
    static final int AMOUNT_TO_MEAN_7D = at("card_amount_to_mean_7d");
    static final int AMOUNT_TO_MAX_30D = at("card_amount_to_max_30d");
    static final int AMOUNT_DEVIATION = at("card_amount_deviation");
    static final int MAX_TO_USUAL_1D = at("card_max_to_usual_1d");
    static final int MAX_TO_USUAL_7D = at("card_max_to_usual_7d");
    static final int HOURS_SINCE_LAST = at("card_hours_since_last");
    static final int HOURS_SINCE_OUTLIER = at("card_hours_since_outlier");
    static final int HOURS_SINCE_SAME_TERMINAL = at("card_hours_since_same_terminal");
    static final int HOURS_SINCE_OTHER_COUNTRY = at("card_hours_since_other_country");
    static final int TERMINALS = at("card_terminals_1d");
    static final int COUNTRIES = at("card_countries_1d");
    static final int IS_NEW_TERMINAL = at("card_is_new_terminal");
    static final int IS_NEW_COUNTRY = at("card_is_new_country");
    static final int SAME_TERMINAL_30D = at("card_same_terminal_30d");
    static final int NIGHT_SHARE_30D = at("card_night_share_30d");
    static final int WEEKEND_SHARE_30D = at("card_weekend_share_30d");
    static final int CHANNEL_SHARE_30D = at("card_channel_share_30d");
    static final int ENTRY_MODE_SHARE_30D = at("card_entry_mode_share_30d");
    static final int HISTORY_DAYS = at("card_history_days");
    private static final int TERMINAL_COUNTS = at("terminal_approved_1d");
    private static final int TERMINAL_AGES = at("terminal_days_since_first_unexplained");

    private Columns() {
    }

    /** Fills the columns of a terminal without a profile: no counts, and -1 for "never". */
    static void fillUnknownTerminal(float[] values, int start) {
        Arrays.fill(values, start + TERMINAL_COUNTS, start + TERMINAL_AGES, 0);
        Arrays.fill(values, start + TERMINAL_AGES, start + WIDTH, -1);
    }

    private static int at(String name) {
        return NAMES.indexOf(name);
    }
}

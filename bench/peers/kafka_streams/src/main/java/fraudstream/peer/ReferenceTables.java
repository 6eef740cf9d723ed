package fraudstream.peer;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * The numbers of codes and the rates of currencies, written by bench/peers/jvm.py from the tables of the Python side:
 * lines of {@code country DE 276}, {@code channel pos 1}, {@code entry_mode chip 1}, {@code mcc 5411 1} and
 * {@code currency USD 23 25}, a fraction.
 */
final class ReferenceTables {
    private record Rate(long numerator, long denominator) {
    }

    private final Map<String, Map<String, Integer>> numbers = new HashMap<>();
    private final Map<String, Rate> rates = new HashMap<>();
    private final Map<String, Integer> countries = numbersOf("country");
    private final Map<String, Integer> channels = numbersOf("channel");
    private final Map<String, Integer> entryModes = numbersOf("entry_mode");
    private final Map<String, Integer> merchantGroups = numbersOf("mcc");

    static ReferenceTables read(Path path) throws IOException {
        ReferenceTables tables = new ReferenceTables();
        for (String line : Files.readAllLines(path)) {
            String[] parts = line.split(" ");
            if (parts[0].equals("currency")) {
                tables.rates.put(parts[1], new Rate(Long.parseLong(parts[2]), Long.parseLong(parts[3])));
            } else {
                tables.numbersOf(parts[0]).put(parts[1], Integer.valueOf(parts[2]));
            }
        }
        return tables;
    }

    int country(String code) {
        return code == null ? 0 : countries.get(code);
    }

    int channel(String code) {
        return code == null ? 0 : channels.get(code);
    }

    int entryMode(String code) {
        return code == null ? 0 : entryModes.get(code);
    }

    int merchantGroup(String code) {
        return code == null ? 0 : merchantGroups.get(code);
    }

    /** Minor units of the reporting currency, rounded half to even. */
    long reported(long amountMinor, String currency) {
        Rate rate = rates.get(currency);
        if (rate == null) {
            throw new IllegalArgumentException("no rate for " + currency);
        }
        if (rate.numerator == 1 && rate.denominator == 1) {
            return amountMinor;
        }
        if (Math.multiplyHigh(amountMinor, rate.numerator) != 0 || amountMinor * rate.numerator < 0) {
            return reportedLarge(amountMinor, rate);
        }
        long scaled = amountMinor * rate.numerator;
        return rounded(scaled / rate.denominator, scaled % rate.denominator, rate.denominator);
    }

    private static long reportedLarge(long amountMinor, Rate rate) {
        BigInteger scaled = BigInteger.valueOf(amountMinor).multiply(BigInteger.valueOf(rate.numerator));
        BigInteger[] divided = scaled.divideAndRemainder(BigInteger.valueOf(rate.denominator));
        BigInteger most = BigInteger.ONE.shiftLeft(62);
        return rounded(divided[0].min(most).longValueExact(), divided[1].longValueExact(), rate.denominator);
    }

    private static long rounded(long quotient, long remainder, long denominator) {
        long beyond = remainder - (denominator - remainder);
        return beyond > 0 || beyond == 0 && quotient % 2 == 1 ? quotient + 1 : quotient;
    }

    private Map<String, Integer> numbersOf(String kind) {
        return numbers.computeIfAbsent(kind, any -> new HashMap<>());
    }
}

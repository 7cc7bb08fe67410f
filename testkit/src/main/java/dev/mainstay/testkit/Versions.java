package dev.mainstay.testkit;

import java.util.Arrays;
import java.util.List;

/// The PostgreSQL versions tests run on: `-Dmainstay.it.versions=all`, or a list like `14,17`.
/// Otherwise 15, which has Debian's client programs, and the newest.
public final class Versions {
    public static final List<Integer> ALL = List.of(14, 15, 16, 17, 18);
    public static final int NEWEST = ALL.getLast();
    private static final String DEFAULT = "15,18";

    private Versions() {}

    /// For `@MethodSource("dev.mainstay.testkit.Versions#selected")`.
    public static List<Integer> selected() {
        return parse(System.getProperty("mainstay.it.versions", DEFAULT));
    }

    /// For tests that are long and hardly depend on the version: what was asked for, else only
    /// this.
    public static List<Integer> selectedElse(int major) {
        return System.getProperty("mainstay.it.versions", "").isBlank()
                ? List.of(major)
                : selected();
    }

    static List<Integer> parse(String text) {
        if (text.isBlank()) {
            return parse(DEFAULT);
        }
        if (text.equals("all")) {
            return ALL;
        }
        List<Integer> result =
                Arrays.stream(text.split(",")).map(String::strip).map(Integer::valueOf).toList();
        if (!ALL.containsAll(result)) {
            throw new IllegalArgumentException(
                    "-Dmainstay.it.versions knows " + ALL + ", not " + text);
        }
        return result;
    }
}

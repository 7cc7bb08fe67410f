package dev.mainstay.engine.config;

import dev.mainstay.base.ByteSize;

import java.time.Duration;
import java.util.Map;

/// Reads the section `prune`.
final class PruneSection {
    private static final int MOST_PERCENT = 90;

    private PruneSection() {}

    static PruneSettings read(ConfigNode node) {
        Map<String, ConfigNode> entries = node.entries("compact-below", "older-than", "budget");
        PruneSettings otherwise = PruneSettings.DEFAULT;
        return new PruneSettings(
                Sections.parsed(
                        entries.get("compact-below"),
                        PruneSection::percent,
                        otherwise.compactBelowPercent()),
                Sections.parsed(
                        entries.get("older-than"), PruneSection::age, otherwise.olderThan()),
                Sections.parsed(
                        entries.get("budget"),
                        text ->
                                Sections.within(
                                        ByteSize.mib(64),
                                        ByteSize.of(Long.MAX_VALUE),
                                        ByteSize.parse(text)),
                        otherwise.budget()));
    }

    private static int percent(String text) {
        if (text.equals("off")) {
            return 0;
        }
        try {
            int percent =
                    text.endsWith("%") ? Integer.parseInt(text.substring(0, text.length() - 1)) : 0;
            if (percent >= 1 && percent <= MOST_PERCENT) {
                return percent;
            }
        } catch (NumberFormatException notANumber) {
            throw new IllegalArgumentException(wrong(text), notANumber);
        }
        throw new IllegalArgumentException(wrong(text));
    }

    private static String wrong(String text) {
        return "'" + text + "' is neither a part from 1% to " + MOST_PERCENT + "% nor off";
    }

    private static Duration age(String text) {
        Duration age = Durations.parse(text);
        if (age.compareTo(Duration.ofDays(3650)) > 0) {
            throw new IllegalArgumentException("'" + text + "' is more than 3650d");
        }
        return age;
    }
}

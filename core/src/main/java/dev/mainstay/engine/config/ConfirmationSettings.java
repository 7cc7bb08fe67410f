package dev.mainstay.engine.config;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/// The section `server.confirmations`: what is needed before the API destroys something.
///
/// @param valid how long a confirmation can be used
/// @param secondPerson whether somebody else than who asks has to agree
public record ConfirmationSettings(Duration valid, boolean secondPerson) {
    /// What holds where nothing is said.
    public static final ConfirmationSettings DEFAULT =
            new ConfirmationSettings(Duration.ofMinutes(10), false);

    private static final Duration VALID_FOR_TWO = Duration.ofHours(1);
    private static final Duration LEAST = Duration.ofMinutes(1);
    private static final Duration MOST = Duration.ofDays(1);

    static ConfirmationSettings read(ConfigNode node) {
        Map<String, ConfigNode> entries = node.entries("valid", "second-person");
        boolean two =
                Optional.ofNullable(entries.get("second-person"))
                        .map(each -> each.parsed(ServerSection::truth))
                        .orElse(false);
        return new ConfirmationSettings(
                Optional.ofNullable(entries.get("valid"))
                        .map(each -> each.parsed(ConfirmationSettings::duration))
                        .orElse(two ? VALID_FOR_TWO : DEFAULT.valid),
                two);
    }

    private static Duration duration(String text) {
        Duration duration = Durations.parse(text);
        if (duration.compareTo(LEAST) < 0 || duration.compareTo(MOST) > 0) {
            throw new IllegalArgumentException("'" + text + "' is not between 1min and 1d");
        }
        return duration;
    }
}

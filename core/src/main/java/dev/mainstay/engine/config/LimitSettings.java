package dev.mainstay.engine.config;

import dev.mainstay.base.ByteSize;

import java.util.Map;
import java.util.Optional;

/// The section `server.limits`: how much of a server anybody may have.
///
/// @param requestsPerMinute of one token or person
/// @param refusalsPerMinute of one address: requests without a valid token
/// @param body the largest body of a request
public record LimitSettings(int requestsPerMinute, int refusalsPerMinute, ByteSize body) {
    /// What holds where nothing is said.
    public static final LimitSettings DEFAULT = new LimitSettings(6000, 300, ByteSize.mib(1));

    private static final int MOST = 1_000_000;

    static LimitSettings read(ConfigNode node) {
        Map<String, ConfigNode> entries =
                node.entries("requests-per-minute", "refusals-per-minute", "body");
        return new LimitSettings(
                number(entries, "requests-per-minute").orElse(DEFAULT.requestsPerMinute),
                number(entries, "refusals-per-minute").orElse(DEFAULT.refusalsPerMinute),
                Optional.ofNullable(entries.get("body"))
                        .map(each -> each.parsed(ByteSize::parse))
                        .orElse(DEFAULT.body));
    }

    private static Optional<Integer> number(Map<String, ConfigNode> entries, String key) {
        return Optional.ofNullable(entries.get(key)).map(each -> each.integer(1, MOST));
    }
}

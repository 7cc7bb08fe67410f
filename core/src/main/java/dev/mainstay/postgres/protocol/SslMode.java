package dev.mainstay.postgres.protocol;

import java.util.Locale;
import java.util.Optional;

/// How much TLS a connection asks for, with libpq's names and meaning.
public enum SslMode {
    DISABLE,
    ALLOW,
    PREFER,
    REQUIRE,
    VERIFY_CA,
    VERIFY_FULL;

    static Optional<SslMode> parse(String text) {
        for (SslMode mode : values()) {
            if (mode.text().equals(text)) {
                return Optional.of(mode);
            }
        }
        return Optional.empty();
    }

    /// As written in a connection URL: `verify-full`.
    public String text() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    boolean demandsTls() {
        return compareTo(REQUIRE) >= 0;
    }

    boolean verifies() {
        return compareTo(VERIFY_CA) >= 0;
    }
}

package dev.mainstay.postgres.protocol;

import java.util.Locale;
import java.util.Optional;

/// Which of several hosts is wanted (`target_session_attrs`).
public enum TargetSession {
    ANY,
    PRIMARY,
    STANDBY;

    static Optional<TargetSession> parse(String text) {
        for (TargetSession target : values()) {
            if (target.text().equals(text)) {
                return Optional.of(target);
            }
        }
        return Optional.empty();
    }

    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    boolean accepts(boolean inRecovery) {
        return switch (this) {
            case ANY -> true;
            case PRIMARY -> !inRecovery;
            case STANDBY -> inRecovery;
        };
    }
}

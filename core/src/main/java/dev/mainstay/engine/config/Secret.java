package dev.mainstay.engine.config;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;

/// A text that is never printed: only [#reveal] gives it away, and only where it is used.
public final class Secret {
    private final String text;

    private Secret(String text) {
        this.text = text;
    }

    public static Secret of(String text) {
        return new Secret(text);
    }

    public String reveal() {
        return text;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Secret secret
                && MessageDigest.isEqual(
                        text.getBytes(StandardCharsets.UTF_8),
                        secret.text.getBytes(StandardCharsets.UTF_8));
    }

    /// The same for all secrets, so that it tells nothing.
    @Override
    public int hashCode() {
        return 1;
    }

    @Override
    public String toString() {
        return "(hidden)";
    }
}

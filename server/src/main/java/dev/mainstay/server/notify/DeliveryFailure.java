package dev.mainstay.server.notify;

import java.time.Duration;
import java.util.Optional;

/// Why something could not be told; without any secret.
final class DeliveryFailure extends Exception {
    private static final long serialVersionUID = 1;

    private final boolean permanent;
    private final transient Optional<Duration> retryAfter;

    private DeliveryFailure(String message, boolean permanent, Optional<Duration> retryAfter) {
        super(message);
        this.permanent = permanent;
        this.retryAfter = retryAfter;
    }

    static DeliveryFailure passing(String message) {
        return new DeliveryFailure(message, false, Optional.empty());
    }

    static DeliveryFailure busy(String message, Optional<Duration> retryAfter) {
        return new DeliveryFailure(message, false, retryAfter);
    }

    /// The same again would be answered the same.
    static DeliveryFailure permanent(String message) {
        return new DeliveryFailure(message, true, Optional.empty());
    }

    boolean isPermanent() {
        return permanent;
    }

    Optional<Duration> retryAfter() {
        return retryAfter;
    }
}

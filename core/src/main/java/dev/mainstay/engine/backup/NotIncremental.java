package dev.mainstay.engine.backup;

/// What a server sends as changes cannot be used: it has to send everything instead.
final class NotIncremental extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final String reason;

    NotIncremental(String reason) {
        super(reason, null, false, false);
        this.reason = reason;
    }

    /// For the backup's record.
    String reason() {
        return reason;
    }
}

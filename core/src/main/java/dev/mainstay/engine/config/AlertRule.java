package dev.mainstay.engine.config;

import dev.mainstay.base.ByteSize;

import java.time.Duration;
import java.util.Locale;

/// What a server raises alerts of.
public enum AlertRule {
    BACKUP_FAILED(Severity.CRITICAL),
    BACKUP_TIMED_OUT(Severity.CRITICAL),
    /// After: beyond the time of the schedule; without one since the last backup, plus 23 hours.
    BACKUP_OVERDUE(Severity.HIGH, Duration.ofHours(1)),
    BACKUP_SLOW(Severity.WARNING),
    BACKUP_SIZE(Severity.WARNING),
    /// For those who want to hear of it.
    BACKUP_COMPLETED(Severity.INFO),
    RESTORE_FAILED(Severity.CRITICAL),
    WAL_STALLED(Severity.HIGH, Duration.ofHours(1)),
    WAL_GAP(Severity.CRITICAL),
    SLOT_RETAINS(Severity.HIGH, 10L << 30),
    SPACE_FULL(Severity.CRITICAL, 5),
    SPACE_FILLING(Severity.HIGH, Duration.ofDays(7)),
    COPY_BEHIND(Severity.HIGH, Duration.ofHours(26)),
    VERIFY_FAILED(Severity.HIGH),
    INTEGRITY_FAILED(Severity.CRITICAL),
    VERIFY_OVERDUE(Severity.WARNING, Duration.ofDays(3)),
    LOCKS_LACKING(Severity.HIGH),
    RETENTION_STUCK(Severity.WARNING, Duration.ofDays(3)),
    CERTIFICATE_ENDS(Severity.WARNING, Duration.ofDays(14)),
    TOKEN_ENDS(Severity.WARNING, Duration.ofDays(7)),
    /// The file was changed, and cannot be used.
    CONFIGURATION_REFUSED(Severity.HIGH),
    CLOCK_SKEW(Severity.WARNING, Duration.ofSeconds(30)),
    RPO_MISSED(Severity.HIGH, Duration.ofDays(1)),
    RTO_MISSED(Severity.HIGH, Duration.ofHours(4)),
    PRIMARY_DOWN(Severity.CRITICAL, Duration.ofMinutes(1)),
    REPLICATION_LAG(Severity.CRITICAL, Duration.ofMinutes(5)),
    REPOSITORY_DOWN(Severity.CRITICAL, Duration.ofMinutes(10));

    private final Severity severity;
    private final Duration after;
    private final long sizeBytes;
    private final int percent;

    AlertRule(Severity severity) {
        this(severity, Duration.ZERO, 0, 0);
    }

    AlertRule(Severity severity, Duration after) {
        this(severity, after, 0, 0);
    }

    AlertRule(Severity severity, long sizeBytes) {
        this(severity, Duration.ZERO, sizeBytes, 0);
    }

    AlertRule(Severity severity, int percent) {
        this(severity, Duration.ZERO, 0, percent);
    }

    AlertRule(Severity severity, Duration after, long sizeBytes, int percent) {
        this.severity = severity;
        this.after = after;
        this.sizeBytes = sizeBytes;
        this.percent = percent;
    }

    /// What holds where nothing is said.
    public RuleSettings standard() {
        return new RuleSettings(severity, after, ByteSize.of(sizeBytes), percent);
    }

    /// Whether it is judged where nothing is said.
    public boolean isStandard() {
        return this != BACKUP_COMPLETED;
    }

    /// As people write it.
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}

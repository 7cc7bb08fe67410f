package dev.mainstay.server.alert;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.AlertSettings;
import dev.mainstay.engine.config.NotificationSettings;
import dev.mainstay.engine.config.Severity;
import dev.mainstay.repository.Ground;

import org.springframework.transaction.support.TransactionOperations;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/// Makes alerts of what the rules find: one for each thing that is wrong, for as long as it is, and
/// says who has to hear of it and when.
public final class AlertBook {
    /// What comes and goes within this is one and the same.
    private static final Duration SETTLED = Duration.ofMinutes(2);

    private final AlertTable table;
    private final Outbox outbox;
    private final TransactionOperations transactions;
    private final Ground ground;
    private final Supplier<AlertSettings> settings;
    private final Supplier<NotificationSettings> notifications;

    public AlertBook(
            AlertTable table,
            Outbox outbox,
            TransactionOperations transactions,
            Ground ground,
            Supplier<AlertSettings> settings,
            Supplier<NotificationSettings> notifications) {
        this.table = table;
        this.outbox = outbox;
        this.transactions = transactions;
        this.ground = ground;
        this.settings = settings;
        this.notifications = notifications;
    }

    /// Brings the alerts in line with what is found now.
    public void take(Verdict verdict, Instant now) {
        transactions.executeWithoutResult(_ -> reconcile(verdict, now));
    }

    private void reconcile(Verdict verdict, Instant now) {
        Map<String, Alert> open = table.open();
        Map<String, Alert> hushed = table.hushed();
        Set<String> found = new HashSet<>();
        for (Finding finding : verdict.findings()) {
            if (!found.add(finding.key())) {
                continue; // the first of a key says it
            }
            Alert known = open.get(finding.key());
            if (known != null) {
                again(known, finding, now);
            } else if (!isHushed(Optional.ofNullable(hushed.get(finding.key())), finding, now)) {
                table.unhush(finding.key());
                String id = BackupId.of(now, ground.randomBytes(4)).text();
                table.insert(id, finding, now);
                tell(table.get(id), News.FIRED, now);
            }
        }
        for (Alert alert : open.values()) {
            if (found.contains(alert.key())) {
                escalate(alert.id(), now);
            } else if (!verdict.unsure().contains(alert.key())
                    && Duration.between(alert.seen(), now).compareTo(SETTLED) >= 0
                    && table.resolve(alert.id(), Optional.empty(), now)) {
                over(table.get(alert.id()), now);
            }
        }
        hushed.keySet().stream()
                .filter(key -> !found.contains(key) && !verdict.unsure().contains(key))
                .forEach(table::unhush);
    }

    /// What somebody resolved stays so, unless it is another time, or graver, or too long ago.
    private boolean isHushed(Optional<Alert> hushed, Finding finding, Instant now) {
        return hushed.filter(alert -> alert.occasion().equals(finding.occasion()))
                .filter(alert -> !finding.severity().isGraverThan(alert.severity()))
                .flatMap(Alert::resolved)
                .filter(at -> Duration.between(at, now).compareTo(settings.get().remindAfter()) < 0)
                .isPresent();
    }

    private void again(Alert known, Finding finding, Instant now) {
        table.seen(known.id(), finding, now);
        boolean graver = finding.severity().isGraverThan(known.severity());
        boolean another = !finding.occasion().equals(known.occasion());
        if (graver || another) {
            table.raise(known.id(), now);
            tell(table.get(known.id()), News.FIRED, now);
        }
    }

    private void escalate(String id, Instant now) {
        Alert alert = table.get(id);
        boolean grave = alert.severity() == Severity.CRITICAL || alert.severity() == Severity.HIGH;
        if (!grave
                || alert.state() != AlertState.FIRING
                || alert.escalated().isPresent()
                || now.isBefore(alert.raised().plus(settings.get().escalateAfter()))) {
            return;
        }
        table.escalate(id, now);
        List<String> to =
                settings.get().escalateTo().isEmpty()
                        ? notifications.get().route(Severity.CRITICAL)
                        : settings.get().escalateTo();
        outbox.put(alert, News.ESCALATED, to, now, now);
    }

    private void tell(Alert alert, News news, Instant now) {
        Instant together = now.plus(settings.get().groupWait());
        outbox.put(alert, news, notifications.get().route(alert.severity()), due(alert, together), now);
    }

    private Instant due(Alert alert, Instant time) {
        return settings.get().quiet().map(quiet -> after(quiet, alert, time)).orElse(time);
    }

    /// The end of the quiet hours, if it is one of them.
    private static Instant after(AlertSettings.Quiet quiet, Alert alert, Instant time) {
        if (!quiet.severities().contains(alert.severity())) {
            return time;
        }
        return quiet.hours().left(time);
    }

    /// Whoever heard that it fired hears that it is over; whoever did not, of neither.
    private void over(Alert alert, Instant now) {
        List<String> told = outbox.settle(alert);
        if (alert.severity() != Severity.INFO && !told.isEmpty()) {
            outbox.put(alert, News.RESOLVED, told, due(alert, now), now);
        }
    }

    /// @throws MainstayException ALERT_UNKNOWN, ALERT_OVER
    public Alert acknowledge(String id, String by) {
        return changed(
                id,
                now -> {
                    if (table.acknowledge(id, by, now)) {
                        Alert alert = table.get(id);
                        outbox.put(
                                alert,
                                News.ACKNOWLEDGED,
                                new ArrayList<>(notifications.get().channels().keySet()),
                                now,
                                now);
                    } else {
                        demandOpen(table.get(id));
                    }
                });
    }

    /// @throws MainstayException ALERT_UNKNOWN, ALERT_OVER
    public Alert resolve(String id, String by) {
        return changed(
                id,
                now -> {
                    if (table.resolve(id, Optional.of(by), now)) {
                        over(table.get(id), now);
                    } else {
                        demandOpen(table.get(id));
                    }
                });
    }

    private interface Change {
        void at(Instant now);
    }

    private Alert changed(String id, Change change) {
        Instant now = ground.clock().instant();
        transactions.executeWithoutResult(_ -> change.at(now));
        return table.get(id);
    }

    private static void demandOpen(Alert alert) {
        if (!alert.isOpen()) {
            throw new MainstayException(
                    ErrorCode.ALERT_OVER,
                    "alert " + alert.id() + " is " + alert.state().word() + " already");
        }
    }
}

package dev.mainstay.server.notify;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.server.trace.TracedWork;
import dev.mainstay.server.trace.Tracing;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Brings notices to their channels. What does not arrive is tried again, later each time, for a
/// day.
public final class Courier {
    private static final Logger LOG = LoggerFactory.getLogger(Courier.class);
    private static final Duration FIRST = Duration.ofSeconds(30);
    private static final Duration LONGEST = Duration.ofMinutes(30);
    private static final Duration GIVES_UP = Duration.ofDays(1);

    private final NoticeTable table;
    private final Channels channels;
    private final Tracing tracing;

    public Courier(NoticeTable table, Channels channels, Tracing tracing) {
        this.table = table;
        this.channels = channels;
        this.tracing = tracing;
    }

    /// Tells what is due. One channel that fails keeps nobody from the others.
    public void deliver(Instant now) {
        Map<String, List<Notice>> due = new LinkedHashMap<>();
        for (Notice notice : table.due(now)) {
            due.computeIfAbsent(notice.channel(), _ -> new ArrayList<>()).add(notice);
        }
        due.forEach((name, notices) -> deliver(name, notices, now));
    }

    private void deliver(String name, List<Notice> notices, Instant now) {
        Optional<Channel> channel = channels.find(name);
        if (channel.isEmpty()) {
            for (Notice each : notices) {
                table.failed(each.id(), "there is no channel '" + name + "' any more", Optional.empty());
            }
            return;
        }
        if (channel.get().isGrouping()) { // the gravest first
            send(
                    channel.get(),
                    notices.stream().sorted(Comparator.comparing(Notice::severity)).toList(),
                    now);
            return;
        }
        for (Notice each : notices) {
            if (!send(channel.get(), List.of(each), now)) {
                return; // in order: no "it is over" before "it is so"
            }
        }
    }

    private boolean send(Channel channel, List<Notice> notices, Instant now) {
        try {
            tell(channel, notices);
            notices.forEach(each -> table.sent(each.id(), now));
            return true;
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
            return false;
        } catch (DeliveryFailure failed) {
            for (Notice each : notices) {
                failed(each, failed, now);
            }
            return false;
        } catch (RuntimeException bug) {
            LOG.error("channel {} met a bug", notices.getFirst().channel(), bug);
            DeliveryFailure failed =
                    DeliveryFailure.passing("unexpected " + bug.getClass().getName());
            notices.forEach(each -> failed(each, failed, now));
            return false;
        }
    }

    private void tell(Channel channel, List<Notice> notices)
            throws DeliveryFailure, InterruptedException {
        String name = notices.getFirst().channel();
        try (TracedWork work = tracing.delivery(name, channels.type(name), notices.size())) {
            boolean told = false;
            try {
                channel.send(notices);
                told = true;
            } finally {
                work.end(
                        told ? "sent" : "failed",
                        told ? Optional.empty() : Optional.of(ErrorCode.CHANNEL_FAILED.id()));
            }
        }
    }

    private void failed(Notice notice, DeliveryFailure failed, Instant now) {
        boolean over =
                failed.isPermanent()
                        || Duration.between(notice.created(), now).compareTo(GIVES_UP) > 0;
        Duration wait = failed.retryAfter().orElse(backOff(notice.attempts()));
        String message = String.valueOf(failed.getMessage());
        LOG.warn(
                "channel {} did not take {}: {}{}",
                notice.channel(),
                notice.id(),
                message,
                over ? "; given up" : "");
        table.failed(notice.id(), message, over ? Optional.empty() : Optional.of(now.plus(wait)));
    }

    static Duration backOff(int attempts) {
        Duration wait = FIRST.multipliedBy(1L << Math.min(attempts, 10));
        return wait.compareTo(LONGEST) > 0 ? LONGEST : wait;
    }
}

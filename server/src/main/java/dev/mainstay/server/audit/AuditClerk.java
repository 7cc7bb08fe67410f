package dev.mainstay.server.audit;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Says when the server begins and stops, publishes the trail every few minutes, and a last time
/// when nothing can happen any more.
public final class AuditClerk implements SmartLifecycle {
    private static final Logger LOG = LoggerFactory.getLogger(AuditClerk.class);

    /// How often what is new is published.
    public static final Duration EVERY = Duration.ofMinutes(5);

    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final Duration STOP_PATIENCE = Duration.ofSeconds(15);

    /// Before the web server and the jobs begin, after they have stopped.
    private static final int PHASE = SmartLifecycle.DEFAULT_PHASE - 8192;

    private final AuditTrail trail;
    private final AuditPublisher publisher;
    private final Refusals refusals;
    private final CountDownLatch stopping = new CountDownLatch(1);
    private volatile boolean running;

    public AuditClerk(AuditTrail trail, AuditPublisher publisher, Refusals refusals) {
        this.trail = trail;
        this.publisher = publisher;
        this.refusals = refusals;
    }

    @Override
    public void start() {
        trail.append(trail.server(), "", "server start", "", "done");
        running = true;
        Thread.ofPlatform().daemon().name("audit").start(this::work);
    }

    private void work() {
        long minutes = 0;
        publish();
        try {
            while (!stopping.await(MINUTE.toSeconds(), TimeUnit.SECONDS)) {
                refusals.flush();
                minutes++;
                if (minutes % EVERY.toMinutes() == 0) {
                    publish();
                }
            }
        } catch (InterruptedException unexpected) {
            Thread.currentThread().interrupt();
        }
    }

    private void publish() {
        try {
            publisher.publish();
        } catch (RuntimeException failed) {
            LOG.warn(
                    "the audit trail is in the state alone until it can be published: {}",
                    failed.getMessage());
        }
    }

    @Override
    public void stop() {
        running = false;
        stopping.countDown();
        refusals.flush();
        try {
            trail.append(trail.server(), "", "server stop", "", "done");
        } catch (RuntimeException failed) {
            LOG.error("the audit trail does not say that this server stopped", failed);
        }
        Thread last = Thread.ofPlatform().daemon().name("audit-last").start(this::publish);
        try {
            if (!last.join(STOP_PATIENCE)) {
                LOG.warn("the repository does not answer: the audit trail's end is in the state alone");
            }
        } catch (InterruptedException hurry) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    @Override
    public int getPhase() {
        return PHASE;
    }
}

package dev.mainstay.cli;

import dev.mainstay.base.MainstayException;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// An agent beside other work: whatever keeps it from being one is told once and does no harm.
/// Where another process of the user is the agent, it takes over when that ends.
final class AgentBeside implements AutoCloseable {
    private static final Duration LOOK = Duration.ofSeconds(5);

    private final Session session;
    private final CountDownLatch ending = new CountDownLatch(1);
    private final Thread thread;

    AgentBeside(Session session) {
        this.session = session;
        this.thread = Thread.ofPlatform().daemon().name("agent-beside").start(this::run);
    }

    private void run() {
        Optional<AgentPlace> place = AgentPlace.of(session.terminal().environment());
        if (place.isEmpty() || System.getProperty("mainstay.program", "").isEmpty()) {
            return;
        }
        try {
            while (true) {
                Optional<Agent> agent = Agent.open(place.get(), session);
                if (agent.isPresent()) {
                    try (Agent _ = agent.get()) {
                        ending.await();
                        return;
                    }
                }
                if (ending.await(LOOK.toMillis(), TimeUnit.MILLISECONDS)) {
                    return;
                }
            }
        } catch (MainstayException none) {
            session.progress()
                    .note(
                            "no agent for 'wal push' and 'wal get' here: ["
                                    + none.code().id()
                                    + "] "
                                    + none.getMessage());
        } catch (InterruptedException | RuntimeException unexpected) {
            session.progress().note("WARNING: the agent ended: " + unexpected);
        }
    }

    @Override
    public void close() {
        ending.countDown();
        boolean interrupted = Thread.interrupted();
        try {
            thread.join();
        } catch (InterruptedException again) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}

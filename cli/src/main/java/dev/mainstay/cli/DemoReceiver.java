package dev.mainstay.cli;

import dev.mainstay.engine.Progress;
import dev.mainstay.engine.archive.WalReceiver;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.engine.config.RepositorySettings;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.repository.ProtectedSource;

import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;

/// The receiver, on a thread of its own.
final class DemoReceiver implements AutoCloseable {
    private final FutureTask<Boolean> work;
    private final Thread thread;

    DemoReceiver(
            ProtectedSource source,
            PostgresSettings settings,
            ConnectionSpec spec,
            RepositorySettings storing) {
        WalReceiver receiver =
                new WalReceiver(
                        source,
                        spec,
                        settings.receiver(),
                        storing.zstdLevel(),
                        Progress.none(),
                        Duration.ofMillis(200),
                        _ -> {});
        work =
                new FutureTask<>(
                        () -> {
                            receiver.run();
                            return true;
                        });
        thread = Thread.ofPlatform().name("demo-receiver").start(work);
    }

    @Override
    public void close() {
        thread.interrupt();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException _) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (work.state() == Future.State.FAILED
                && work.exceptionNow() instanceof RuntimeException failed) {
            throw failed;
        }
    }
}

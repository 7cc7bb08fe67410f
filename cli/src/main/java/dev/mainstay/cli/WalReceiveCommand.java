package dev.mainstay.cli;

import dev.mainstay.engine.archive.ReceiverStatus;
import dev.mainstay.engine.archive.WalReceiver;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.repository.Repository;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;

/// `mainstay wal receive SOURCE`
@Command(name = "receive", description = "stream a source's WAL into the repository until stopped")
final class WalReceiveCommand implements Verb {
    @Parameters(paramLabel = "SOURCE", description = "which source of the configuration")
    private String source = "";

    @Override
    public Document run(Session session) {
        PostgresSettings settings = OpenSource.postgres(session, source);
        AtomicReference<ReceiverStatus> last = new AtomicReference<>();
        try (Repository repository = OpenSource.repository(session);
                AgentBeside _ = new AgentBeside(session)) {
            new WalReceiver(
                            repository.sourceOrAdd(source),
                            OpenSource.connection(session, settings),
                            settings.receiver(),
                            session.configuration().repository().zstdLevel(),
                            session.progress(),
                            Duration.ofMillis(500),
                            status -> {
                                last.set(status);
                                session.progress().note(source + ": " + status);
                            })
                    .run();
        }
        Document document = Document.of("stopped receiving WAL of " + source);
        ReceiverStatus status = last.get();
        if (status != null) {
            document.add("spooled", status.spooled().toString())
                    .add("stored", status.stored().toString())
                    .add("timeline", status.timeline().toString())
                    .add("waiting", status.waiting());
        }
        return document;
    }
}

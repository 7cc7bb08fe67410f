package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.postgres.cluster.Waiter;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// `mainstay wal get NAME PATH`, for `restore_command`.
@Command(
        name = "get",
        description = "fetch one WAL file: restore_command = 'mainstay wal get %%f %%p'")
final class WalGetCommand implements Verb {
    /// How long a standby waits for a repository that is away before it is told that there is
    /// nothing.
    private static final int STANDBY_TRIES = 5;

    @Parameters(index = "0", paramLabel = "NAME", description = "file name, %%f")
    private String name = "";

    @Parameters(index = "1", paramLabel = "PATH", description = "where to put it, %%p")
    private String path = "";

    @Option(
            names = "--source",
            paramLabel = "NAME",
            description = "which source (may be left out where only one is configured)")
    private Optional<String> source = Optional.empty();

    @Option(
            names = "--standby",
            description =
                    "for a standby (assumed where standby.signal is): never serve an unfinished"
                            + " segment; failures are retried and then count as absent")
    private boolean standby;

    @Option(names = "--rewind", description = "for pg_rewind: never serve an unfinished segment")
    private boolean rewind;

    @Mixin private FromOption from = new FromOption();

    @Override
    public Document run(Session session) {
        from.apply(session);
        Path here = session.terminal().workingDirectory();
        boolean forStandby = standby || Files.exists(here.resolve("standby.signal"));
        Waiter pause = Waiter.sleeping(Duration.ofSeconds(1));
        for (int attempt = 1; ; attempt++) {
            try {
                return get(session, here, forStandby);
            } catch (MainstayException failed) {
                if (!forStandby
                        || failed.code() == ErrorCode.INTERRUPTED
                        || !session.wal().isFinal()) {
                    throw failed;
                }
                if (attempt == STANDBY_TRIES || failed.code() == ErrorCode.WAL_FREED) {
                    session.terminal()
                            .err()
                            .println("ERROR: [" + failed.code().id() + "] " + failed.getMessage());
                    return absent();
                }
                pause.await(attempt);
            }
        }
    }

    private Document get(Session session, Path here, boolean forStandby) {
        // A host that only restores need not have the source in its configuration.
        String sourceName =
                source.orElseGet(
                        () -> WalPushCommand.sourceName(session.configuration(), Optional.empty()));
        boolean found =
                session.wal()
                        .get(
                                session,
                                new WalRoute.Wish(
                                        sourceName,
                                        name,
                                        here.resolve(path),
                                        here,
                                        !forStandby && !rewind));
        return found ? Document.of("fetched " + name).add("file", name) : absent();
    }

    private Document absent() {
        return Document.of(name + " is not in the repository")
                .add("file", name)
                .exiting(Exits.PROVED_ABSENT);
    }
}

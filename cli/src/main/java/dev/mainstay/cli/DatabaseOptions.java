package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.restore.KeptDatabases;
import dev.mainstay.engine.restore.PrivateServer;
import dev.mainstay.engine.restore.RestorePlan;
import dev.mainstay.engine.restore.RestoreRequest;
import dev.mainstay.engine.restore.SelectiveRecovery;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.repository.ProtectedSource;

import picocli.CommandLine.Option;

import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/// `restore --database NAME`: what differs from a restore of everything.
final class DatabaseOptions {
    /// For the one start in which the server recovers, and never longer: it would hide damage.
    private static final String RECOVERY_ONLY = " -c ignore_invalid_pages=on -c autovacuum=off";

    @Option(
            names = "--database",
            paramLabel = "NAME",
            description =
                    "bring back this database alone (may be repeated); the others are left empty"
                            + " and dropped after recovery, which --start does")
    private Set<String> names = new LinkedHashSet<>();

    @Option(
            names = "--role",
            paramLabel = "NAME",
            description =
                    "with --database and --start: a role of the restored cluster to find a"
                            + " superuser with (default: the one of the source's url, postgres)")
    private List<String> roles = List.of();

    boolean areGiven() {
        return !names.isEmpty();
    }

    void demandPossible(RestoreRequest request, boolean start, boolean delta) {
        if (!areGiven()) {
            return;
        }
        if (delta) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    "--database makes a cluster of its own: it goes into an empty directory, not"
                            + " with --delta");
        }
        if (request.recovery().standby() || request.recovery().keepArchiving()) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    "--database makes a cluster of its own: it goes with neither --standby nor"
                            + " --archive keep");
        }
        if (start && request.recovery().action() != RestoreRequest.Action.PROMOTE) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    "--database with --start promotes the server at the target, to drop the other"
                            + " databases there: leave out --target-action");
        }
    }

    KeptDatabases kept(ProtectedSource source, RestorePlan plan) {
        return areGiven() ? KeptDatabases.choose(source, plan, names) : KeptDatabases.all();
    }

    static Document describe(Document document, KeptDatabases kept) {
        return kept.isEverything()
                ? document
                : document.addAll("databasesKept", kept.names())
                        .addAll("databasesLeftOut", kept.leftOutNames())
                        .add("sizeLeftOut", kept.leftOut().size());
    }

    static String startOptions(KeptDatabases kept) {
        return kept.isEverything() ? "" : RECOVERY_ONLY;
    }

    /// What the operator does who starts the server himself.
    Document toStart(Document document, KeptDatabases kept) {
        return kept.isEverything()
                ? document
                : document.addAll(
                        "afterRecovery",
                        Stream.concat(
                                        kept.statements().stream(),
                                        Stream.of(
                                                "then start the server again without"
                                                        + RECOVERY_ONLY))
                                .toList());
    }

    /// Recovers, drops the others and checks what was asked for; the server is stopped again.
    void finish(
            Document document,
            Session session,
            ProtectedSource source,
            RestorePlan plan,
            KeptDatabases kept,
            java.nio.file.Path programs,
            ConnectionSpec login)
            throws IOException {
        if (kept.isEverything()) {
            return;
        }
        List<String> candidates = Stream.concat(roles.stream(), Stream.of(login.user())).toList();
        try (RunDirectory run = RunDirectory.create()) {
            SelectiveRecovery.Outcome outcome =
                    SelectiveRecovery.run(
                            source,
                            plan,
                            kept,
                            names,
                            new PrivateServer.Options(programs, run.path(), "", true, candidates),
                            session.progress());
            document.add("replayedTo", outcome.position())
                    .add("lastCommit", outcome.lastCommit())
                    .addAll("databasesDropped", outcome.dropped())
                    .addAll("checked", outcome.checked());
            if (!outcome.notes().isEmpty()) {
                document.addAll("notesOnDatabases", outcome.notes());
            }
        }
    }
}

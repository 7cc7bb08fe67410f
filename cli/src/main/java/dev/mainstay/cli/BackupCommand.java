package dev.mainstay.cli;

import dev.mainstay.base.ByteSize;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.engine.backup.ChangeReport;
import dev.mainstay.engine.backup.Changes;
import dev.mainstay.engine.backup.ClusterBackup;
import dev.mainstay.engine.backup.SourceBackup;
import dev.mainstay.postgres.cluster.Waiter;
import dev.mainstay.repository.format.Json;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;

/// `mainstay backup SOURCE`
@Command(name = "backup")
final class BackupCommand implements Verb {
    enum Type {
        auto,
        full,
        incremental
    }

    @Parameters(paramLabel = "SOURCE", description = "which source of the configuration")
    private String source = "";

    @Option(
            names = "--type",
            description =
                    "auto, full or incremental (default: auto: incremental once there is a backup)")
    private Type type = Type.auto;

    @Option(
            names = "--archive-timeout",
            paramLabel = "SECONDS",
            description = "how long WAL may take to arrive in the repository (default: 60)")
    private int archiveTimeoutSeconds = 60;

    @Option(
            names = "--verify-changes",
            description = "read everything, and fail if a page changed that the WAL does not name")
    private boolean verifyChanges;

    @Mixin private ServerOption server = new ServerOption();

    @Override
    public Document run(Session session) throws IOException {
        if (server.isGiven()) {
            server.without("--archive-timeout", archiveTimeoutSeconds != 60)
                    .without("--verify-changes", verifyChanges);
            return RemoteWork.job(
                    server,
                    session,
                    Map.of("kind", "backup", "target", source, "type", type.name()));
        }
        OpenSource.postgres(session, source); // unknown is told first
        OpenSource.warnOfOpenKey(session);
        ClusterBackup.Result result =
                new SourceBackup(OpenSource.surroundings(session), source, session.progress())
                        .run(
                                new ClusterBackup.Request(
                                        ClusterBackup.Request.Type.valueOf(
                                                type.name().toUpperCase(Locale.ROOT)),
                                        Duration.ofSeconds(archiveTimeoutSeconds),
                                        Waiter.sleeping(Duration.ofMillis(50)),
                                        verifyChanges));
        return document(result);
    }

    private static String verified(Json details) {
        if (!details.has("verifiedChanges")) {
            return "nothing to verify: the WAL was not asked what changed";
        }
        ChangeReport report = ChangeReport.read(details.object("verifiedChanges"));
        return "no page missed: "
                + report.unchanged()
                + " as before, "
                + report.named()
                + " named by the WAL, "
                + report.masked()
                + " differ in hints only, "
                + report.later()
                + " changed since the backup began";
    }

    private Document document(ClusterBackup.Result result) {
        BackupDetails details = result.details();
        Json counts = result.backup().statistics();
        double seconds = Math.max(0.001, result.duration().toMillis() / 1000.0);
        Document document =
                Document.of("backup " + result.backup().id() + " of " + source + " is complete")
                        .add("backup", result.backup().id().text())
                        .add("type", result.backup().type())
                        .add("method", BackupDetails.method(result.backup().details()))
                        .add("from", BackupDetails.from(result.backup().details()))
                        .add("status", details.judgement().status())
                        .add("size", ByteSize.of(counts.number("bytes")))
                        .add("read", ByteSize.of(counts.number("bytes-read")))
                        .add("stored", ByteSize.of(counts.number("bytes-stored")));
        BackupDetails.received(result.backup().details())
                .ifPresent(bytes -> document.add("received", ByteSize.of(bytes)));
        document.add("duration", result.duration())
                .add("rate", ByteSize.of((long) (counts.number("bytes-read") / seconds)) + "/s")
                .add("startLsn", details.startLsn().toString())
                .add("stopLsn", details.stopLsn().toString())
                .add("timeline", details.timeline().toString());
        if (counts.has("bytes-resumed") && counts.number("bytes-resumed") > 0) {
            document.add("resumed", ByteSize.of(counts.number("bytes-resumed")));
        }
        Changes.read(result.backup().details())
                .ifPresent(changes -> document.add("readWhat", changes.text()));
        if (verifyChanges) {
            document.add("verifiedChanges", verified(result.backup().details()));
        }
        if (!details.judgement().warnings().isEmpty()) {
            document.addAll("warnings", details.judgement().warnings());
        }
        if (!details.judgement().vanished().isEmpty()) {
            document.addAll("vanished", details.judgement().vanished());
        }
        if (details.judgement().damagedPageCount() > 0) {
            document.add("damagedPages", details.judgement().damagedPageCount())
                    .addAll(
                            "damaged",
                            details.judgement().damagedPages().stream()
                                    .map(page -> page.path() + " block " + page.block())
                                    .toList())
                    .failing();
        }
        return document;
    }
}

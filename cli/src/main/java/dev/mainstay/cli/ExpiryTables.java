package dev.mainstay.cli;

import dev.mainstay.base.ByteSize;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What is told of an expiry: of one that is planned here, and of one that a server does.
final class ExpiryTables {
    final Table policies = Table.of("source", "policy");
    final Table backups = Table.of("source", "backup", "type", "ended", "decision", "why");
    final Table windows =
            Table.of(
                    "source",
                    "cluster",
                    "timeline",
                    "everySecond",
                    "from",
                    "fromLsn",
                    "fromBackup");
    private final Table wal =
            Table.of("source", "timeline", "segments", "size", "first", "last")
                    .titled("WAL that nothing needs then, and that 'mainstay prune' frees:");
    final List<String> damaged = new ArrayList<>();

    static String headline(int count, String what) {
        return count == 0
                ? "no backup" + what
                : count + (count == 1 ? " backup" : " backups") + what;
    }

    /// A backup of which nobody knows what cluster it is of.
    void strange(String source, String backup) {
        backups.row(
                source,
                backup,
                Optional.empty(),
                Optional.empty(),
                "stays",
                "its record does not tell what cluster it is of");
    }

    void freed(
            String source,
            String timeline,
            long segments,
            ByteSize size,
            String first,
            String last) {
        wal.row(source, timeline, segments, size, first, last);
    }

    Document addTo(Document document) {
        document.add("policies", policies)
                .add("backups", backups)
                .add("recoveryWindow", windows)
                .add("walFreedByPrune", wal);
        return damaged.isEmpty() ? document : document.addAll("damaged", damaged);
    }
}

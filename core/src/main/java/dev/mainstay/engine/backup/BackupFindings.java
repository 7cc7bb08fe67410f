package dev.mainstay.engine.backup;

import dev.mainstay.postgres.cluster.ClusterFile;
import dev.mainstay.postgres.cluster.DamagedPage;
import dev.mainstay.postgres.protocol.ServerError;

import java.util.ArrayList;
import java.util.List;

/// What the workers of one backup noticed. Thread-safe.
final class BackupFindings {
    /// More damaged pages than this are only counted: the record has to stay small.
    private static final int DAMAGE_KEPT = 1000;

    private static final int REMARKS_KEPT = 100;

    private final List<BackupDetails.Damage> damaged = new ArrayList<>();
    private long damagedCount;
    private int remarks;
    private final List<ClusterFile> vanishedRelations = new ArrayList<>();
    private final List<String> vanished = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();

    synchronized void damaged(DamagedPage page) {
        damagedCount++;
        if (damaged.size() < DAMAGE_KEPT) {
            damaged.add(
                    new BackupDetails.Damage(
                            page.path(), page.block(), page.found(), page.expected()));
        }
    }

    synchronized void vanished(ClusterFile file) {
        if (file.relation().isPresent()) {
            vanishedRelations.add(file);
        } else {
            vanished.add(file.path());
        }
    }

    /// What a server remarks of a base backup: it skipped something, or found a page damaged.
    synchronized void remark(ServerError notice) {
        if (notice.severity().equals("WARNING") && remarks++ < REMARKS_KEPT) {
            warnings.add("the server says: " + notice);
        }
    }

    /// The server found damage. Where this host found none the backup counts as damaged all the
    /// same.
    synchronized void damageSeenByServer(ServerError error) {
        if (damagedCount == 0) {
            damagedCount = 1;
            warnings.add("the server found damage where this host found none: " + error);
        }
    }

    synchronized void warning(String text) {
        warnings.add(text);
    }

    synchronized List<ClusterFile> vanishedRelations() {
        return List.copyOf(vanishedRelations);
    }

    synchronized BackupDetails.Judgement judgement() {
        return new BackupDetails.Judgement(
                List.copyOf(damaged), damagedCount, List.copyOf(vanished), List.copyOf(warnings));
    }
}

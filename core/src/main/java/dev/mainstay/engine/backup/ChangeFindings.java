package dev.mainstay.engine.backup;

import dev.mainstay.base.Lsn;
import dev.mainstay.engine.backup.ChangeJudge.Verdict;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// Counts what a [ChangeJudge] said of all pages of a backup. Thread-safe.
public final class ChangeFindings {
    /// More than these are only counted: the record has to stay small.
    private static final int KEPT = 20;

    private final Map<Verdict, Long> counts = new EnumMap<>(Verdict.class);
    private final List<ChangeReport.MissedPage> missed = new ArrayList<>();

    /// Any verdict but `MISSED`.
    public synchronized void count(Verdict verdict) {
        counts.merge(verdict, 1L, Long::sum);
    }

    /// @param path of the relation segment file, relative to the data directory
    /// @param block within the fork, over all segment files
    /// @param earlier position of the page in the earlier backup; [Lsn#NONE] if it had none
    public synchronized void missed(String path, long block, Lsn earlier, Lsn now) {
        count(Verdict.MISSED);
        if (missed.size() < KEPT) {
            missed.add(new ChangeReport.MissedPage(path, block, earlier, now));
        }
    }

    public synchronized ChangeReport report() {
        return new ChangeReport(
                of(Verdict.UNCHANGED),
                of(Verdict.NAMED),
                of(Verdict.MASKED),
                of(Verdict.LATER),
                of(Verdict.MISSED),
                missed);
    }

    private long of(Verdict verdict) {
        return counts.getOrDefault(verdict, 0L);
    }
}

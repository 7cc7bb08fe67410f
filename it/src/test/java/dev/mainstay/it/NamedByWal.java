package dev.mainstay.it;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.engine.backup.ChangeFindings;
import dev.mainstay.engine.backup.ChangeJudge;
import dev.mainstay.engine.backup.ChangeJudge.Verdict;
import dev.mainstay.engine.backup.ChangeReport;
import dev.mainstay.postgres.cluster.PageCheck;
import dev.mainstay.postgres.cluster.PageKind;
import dev.mainstay.postgres.wal.BlockChanges;
import dev.mainstay.postgres.wal.ChangedBlocks;
import dev.mainstay.postgres.wal.Fork;
import dev.mainstay.postgres.wal.RelationFile;
import dev.mainstay.postgres.wal.WalLayout;
import dev.mainstay.postgres.wal.WalReader;
import dev.mainstay.postgres.wal.WalSource;
import dev.mainstay.postgres.wal.WalSummariser;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.WalArchive;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Judges whether the log names every page that changed from one backup to a later one. Both hold
/// whole files, however they came by them.
final class NamedByWal {
    private static final int BLOCK = 8192;
    private static final int DESCRIBED = 3;
    private static final Pattern MAIN =
            Pattern.compile("(?:(global)|base/(\\d+)|pg_tblspc/(\\d+)/[^/]+/(\\d+))/(\\d+)");

    private final ChangedBlocks changed;
    private final List<String> readWhole;
    private final ChangeJudge judge;
    private final ChangeFindings findings = new ChangeFindings();
    private final List<String> descriptions = new ArrayList<>();

    private NamedByWal(WalSummariser.RangeChanges changes, Lsn start) {
        this.changed = changes.changed();
        this.readWhole = changes.readWhole();
        this.judge = new ChangeJudge(BLOCK, start);
    }

    /// What the log from `from` to the start of a backup names.
    static NamedByWal since(Lsn from, CommittedBackup backup, WalArchive archive) {
        BackupDetails until = BackupDetails.read(backup.details());
        int bytes = until.layout().walSegmentSize();
        WalSource source = WalSource.segments(bytes, number -> segment(archive, number, bytes));
        WalReader reader = WalReader.open(source, WalLayout.of(bytes), from);
        WalSummariser.RangeChanges changes = WalSummariser.changes(reader, until.startLsn());
        if (changes.unread().isPresent()) {
            throw new AssertionError(
                    "the log from "
                            + from
                            + " to "
                            + until.startLsn()
                            + " ends with "
                            + changes.unread().get());
        }
        return new NamedByWal(changes, until.startLsn());
    }

    /// Of the newest timeline that has it: it begins with what came before the timeline did.
    private static Optional<byte[]> segment(WalArchive archive, long number, int bytes) {
        return archive.timelines().stream()
                .sorted(Comparator.<TimelineId>naturalOrder().reversed())
                .map(timeline -> archive.get(new WalSegment(timeline, number, bytes)))
                .flatMap(Optional::stream)
                .findFirst();
    }

    /// The first missed pages, for whoever looks for the cause.
    List<String> descriptions() {
        return descriptions;
    }

    /// Why the log cannot be trusted to name everything.
    List<String> readWhole() {
        return readWhole;
    }

    ChangeReport judge(FileTree earlier, FileTree now) {
        for (String path : now.items().keySet()) {
            Matcher matcher = MAIN.matcher(path);
            if (matcher.matches()) {
                judge(path, file(matcher), earlier.relation(path), now.content(path));
            }
        }
        return findings.report();
    }

    private static RelationFile file(Matcher path) {
        long number = Long.parseLong(path.group(5));
        if (path.group(1) != null) {
            return new RelationFile(1664, 0, number);
        }
        return path.group(2) != null
                ? new RelationFile(1663, Long.parseLong(path.group(2)), number)
                : new RelationFile(
                        Long.parseLong(path.group(3)), Long.parseLong(path.group(4)), number);
    }

    private void judge(String path, RelationFile file, Optional<byte[]> earlier, byte[] now) {
        boolean all = changed.isDirectoryReplaced(file.tablespace(), file.database());
        Optional<BlockChanges> changes = changed.of(file, Fork.MAIN);
        // What the earlier backup does not have is read in any case. A crash leaves files of which
        // the log knows nothing: they were being built, and their records were never written.
        int known = earlier.map(bytes -> Math.min(bytes.length, now.length) / BLOCK).orElse(0);
        for (int block = 0; block < known; block++) {
            int number = block;
            boolean named = all || changes.filter(one -> one.mayDiffer(number)).isPresent();
            Verdict verdict =
                    judge.judge(now, block * BLOCK, block, named, () -> page(earlier, number));
            if (verdict == Verdict.MISSED) {
                Lsn before =
                        page(earlier, number).map(one -> PageCheck.lsn(one, 0)).orElse(Lsn.NONE);
                findings.missed(path, block, before, PageCheck.lsn(now, block * BLOCK));
                if (descriptions.size() < DESCRIBED) {
                    descriptions.add(describe(path, block, page(earlier, number), now));
                }
            } else {
                findings.count(verdict);
            }
        }
    }

    private static String describe(String path, int block, Optional<byte[]> earlier, byte[] now) {
        int at = block * BLOCK;
        StringBuilder text = new StringBuilder(path + " block " + block + ", ");
        text.append(PageKind.of(now, at, BLOCK)).append(", ");
        byte[] before = earlier.orElse(new byte[BLOCK]);
        text.append(earlier.isPresent() ? "before " : "not there before ")
                .append(PageKind.of(before, 0, BLOCK))
                .append(", bytes that differ:");
        for (int i = 0, shown = 0; i < BLOCK && shown < 40; i++) {
            if (before[i] != now[at + i]) {
                text.append(
                        String.format(Locale.ROOT, " %d: %02x→%02x", i, before[i], now[at + i]));
                shown++;
            }
        }
        return text.toString();
    }

    private static Optional<byte[]> page(Optional<byte[]> file, int block) {
        return file.filter(bytes -> bytes.length >= (block + 1) * BLOCK)
                .map(bytes -> Arrays.copyOfRange(bytes, block * BLOCK, (block + 1) * BLOCK));
    }
}

package dev.mainstay.engine.proof;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.WalArchive;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Random;
import java.util.TreeSet;

/// The log of a simulated cluster: what its server has finished, and what the repository has
/// acknowledged.
final class SimulatedLog {
    static final int SEGMENT = 1 << 20;
    private static final int FIRST = 4;

    private final SystemId system;
    private final NavigableSet<Integer> pending = new TreeSet<>();
    private final NavigableSet<Integer> stored = new TreeSet<>();
    private int head = FIRST;

    SimulatedLog(long system) {
        this.system = SystemId.of(system);
    }

    static WalSegment segment(long number) {
        return new WalSegment(TimelineId.of(1), number, SEGMENT);
    }

    /// The server goes on to the next segment.
    int finish() {
        pending.add(head);
        return head++;
    }

    int head() {
        return head;
    }

    Optional<Integer> oldestPending() {
        return pending.isEmpty() ? Optional.empty() : Optional.of(pending.first());
    }

    /// One that was stored long ago, or lately: an archiver may push it again after a crash.
    Optional<Integer> anyStored(Random random) {
        List<Integer> all = List.copyOf(stored);
        return all.isEmpty() ? Optional.empty() : Optional.of(all.get(random.nextInt(all.size())));
    }

    NavigableSet<Integer> stored() {
        return stored;
    }

    WalArchive archive(ProtectedSource source) {
        return source.wal(system, 1);
    }

    void push(ProtectedSource source, int number) {
        byte[] content = new byte[SEGMENT];
        ByteBuffer.wrap(content).putInt(number).putLong(system.value());
        archive(source).put(segment(number), content);
        pending.remove(number);
        stored.add(number);
    }

    void summarise(ProtectedSource source, int number) {
        archive(source).putSummary(segment(number), new byte[] {(byte) number});
    }

    void pushPart(ProtectedSource source, int length) {
        archive(source).putPart(segment(head), 0, new byte[length]);
    }

    Lsn start(int number) {
        return segment(number).start().plus(40);
    }

    BackupDetails details(int number, Instant time, int blockSize) {
        return new BackupDetails(
                system,
                TimelineId.of(1),
                start(number),
                start(number).plus(3000),
                time,
                time,
                new BackupDetails.Server(170002, "17.2", 202406281, 1700),
                new BackupDetails.Layout(blockSize, 131072, SEGMENT, 8192, true),
                "/data",
                "",
                "",
                List.of(),
                List.of(),
                new BackupDetails.Judgement(List.of(), 0, List.of(), List.of()));
    }
}

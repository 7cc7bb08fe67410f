package dev.mainstay.engine.archive;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.postgres.wal.TimelineHistory;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.Random;

/// Wherever the slot is, a receiver goes on where the archive ends, and never beyond.
class ResumePointTest {
    private static final int MIB = 1 << 20;
    private static final TimelineId ONE = TimelineId.of(1);
    private static final TimelineId TWO = TimelineId.of(2);

    @TempDir private Path folder;
    private final WalArchive archive =
            Repository.create(
                            MemoryStore.create(),
                            Optional.empty(),
                            new Ground(() -> Instant.parse("2026-11-21T07:00:00Z"), new Random(1)))
                    .sourceOrAdd("orders")
                    .wal(SystemId.of(7_300_000_000_000_000_001L), 1);

    private static WalSegment segment(TimelineId timeline, int number) {
        return new WalSegment(timeline, number, MIB);
    }

    private static Lsn at(int segment, int offset) {
        return segment(ONE, segment).start().plus(offset);
    }

    private void store(TimelineId timeline, int... numbers) {
        for (int number : numbers) {
            archive.put(segment(timeline, number), new byte[MIB]);
        }
    }

    private ResumePoint find(Lsn slot, WalSegment... spooled) {
        return find(TimelineHistory.first(ONE), slot, spooled);
    }

    private ResumePoint find(TimelineHistory history, Lsn slot, WalSegment... spooled) {
        try (Spool spool = Spool.open(folder, MIB)) {
            for (WalSegment each : spooled) {
                spool.append(each, 0, ByteBuffer.wrap(new byte[MIB]));
                spool.sync();
            }
            return ResumePoint.find(archive, spool, history, slot);
        }
    }

    @Test
    void theFirstReceiverOfAllBeginsWhereItsSlotIs() {
        assertThat(find(at(7, 100))).isEqualTo(new ResumePoint(at(7, 100), segment(ONE, 7)));
    }

    @Test
    void aSlotThatTheArchiveReachesIsWhereItGoesOn() {
        store(ONE, 5, 6, 7, 8);
        archive.putPart(segment(ONE, 9), 0, new byte[500]);
        assertThat(find(at(9, 500))).isEqualTo(new ResumePoint(at(9, 500), segment(ONE, 9)));
        assertThat(find(at(9, 0))).isEqualTo(new ResumePoint(at(9, 0), segment(ONE, 9)));
        assertThat(find(at(7, 3))).isEqualTo(new ResumePoint(at(7, 3), segment(ONE, 7)));
    }

    @Test
    void aSlotThatWasMadeAnewDoesNotHideWhatIsMissingBeforeIt() {
        store(ONE, 5, 6);
        archive.putPart(segment(ONE, 7), 0, new byte[500]);
        assertThat(find(at(12, 40))).isEqualTo(new ResumePoint(at(7, 500), segment(ONE, 7)));
    }

    @Test
    void afterAGapThatIsKnownTheSlotCountsAgain() {
        store(ONE, 5, 20, 21);
        assertThat(find(at(22, 0))).isEqualTo(new ResumePoint(at(22, 0), segment(ONE, 22)));
    }

    @Test
    void whatIsSpooledWholeIsNotReceivedAgainButIsNotStoredEither() {
        store(ONE, 5, 6);
        ResumePoint resume = find(at(12, 40), segment(ONE, 7), segment(ONE, 8), segment(ONE, 10));
        assertThat(resume).isEqualTo(new ResumePoint(at(7, 0), segment(ONE, 9)));
    }

    @Test
    void aClusterThatBranchedOffIsFollowedFromWhereItDid() {
        TimelineHistory two = TimelineHistory.first(ONE).branch(TWO, at(8, 700), "restored");
        store(ONE, 5, 6, 7, 8, 9, 10); // the old server went on for a while
        ResumePoint resume = find(two, at(12, 40));
        assertThat(resume).isEqualTo(new ResumePoint(at(8, 700), segment(TWO, 8)));
    }
}

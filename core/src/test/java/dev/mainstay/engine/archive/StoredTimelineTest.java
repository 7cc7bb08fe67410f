package dev.mainstay.engine.archive;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.postgres.wal.SampleLog;
import dev.mainstay.postgres.wal.TimelineHistory;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.api.Test;

import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;

class StoredTimelineTest {
    private static final int FIRST = 4;

    private final WalArchive archive =
            Repository.create(
                            MemoryStore.create(),
                            Optional.empty(),
                            new Ground(() -> Instant.parse("2026-11-21T07:00:00Z"), new Random(1)))
                    .sourceOrAdd("orders")
                    .wal(SystemId.of(7_300_000_000_000_000_001L), 1);

    private List<StoredTimeline.Stretch> stretches() {
        WalSegment first = SampleLog.segment(FIRST);
        return StoredTimeline.read(
                        StoredLog.read(
                                archive,
                                TimelineHistory.first(TimelineId.of(1)),
                                first.sizeBytes(),
                                first.start()))
                .stretches();
    }

    @Test
    void aRecordWhoseEndIsStillToComeIsNoGap() {
        List<byte[]> log = SampleLog.endingInALongRecord(FIRST, 3);
        archive.put(SampleLog.segment(FIRST), log.get(0));
        WalSegment second = SampleLog.segment(FIRST + 1);
        archive.putPart(second, 0, Arrays.copyOf(log.get(1), 500_000));
        assertThat(stretches())
                .singleElement()
                .satisfies(only -> assertThat(only.end()).isEqualTo(second.start().plus(500_000)));
        archive.put(second, log.get(1));
        WalSegment third = SampleLog.segment(FIRST + 2);
        archive.putPart(third, 0, Arrays.copyOf(log.get(2), 9000));
        assertThat(stretches())
                .singleElement()
                .satisfies(only -> assertThat(only.end()).isEqualTo(third.start().plus(9000)));
    }

    @Test
    void wherePartOfTheLogIsNoWalThereIsAGap() {
        List<byte[]> log = SampleLog.endingInALongRecord(FIRST, 3);
        byte[] broken = log.get(0).clone();
        Arrays.fill(broken, 8192, 3 * 8192, (byte) 7);
        archive.put(SampleLog.segment(FIRST), broken);
        archive.put(SampleLog.segment(FIRST + 1), log.get(1));
        assertThat(stretches()).hasSize(2);
    }
}

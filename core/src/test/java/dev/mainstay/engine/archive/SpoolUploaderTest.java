package dev.mainstay.engine.archive;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.Progress;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.storage.ForwardingStore;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/// The slot follows what the uploader calls stored, and the server forgets what lies behind it.
class SpoolUploaderTest {
    private static final int MIB = 1 << 20;
    private static final WalSegment FIRST =
            WalSegment.containing(TimelineId.of(1), Lsn.of(16L * MIB), MIB);

    @TempDir private Path folder;

    @Test
    void aSegmentThatIsFinishedDuringAnUploadIsNotSkippedByThePartOfTheNextOne() throws Exception {
        Hooked store = new Hooked();
        WalArchive archive = archive(store);
        Positions positions = positions();
        WalSegment second = FIRST.next();
        WalSegment third = second.next();
        try (Spool spool = Spool.open(folder, MIB)) {
            receive(spool, positions, FIRST, MIB);
            // While the first segment is stored, the server goes on: one is finished, one begun.
            store.beforePut =
                    name -> {
                        if (name.equals(archive.objectName(FIRST))) {
                            receive(spool, positions, second, MIB);
                            receive(spool, positions, third, 1000);
                        }
                    };
            List<String> wrong = new ArrayList<>();
            CountDownLatch all = new CountDownLatch(1);
            Runnable afterStored =
                    () -> {
                        Lsn really = archive.storedUpTo(FIRST);
                        if (positions.stored().isAfter(really)) {
                            wrong.add(positions.stored() + " is told, " + really + " is there");
                        }
                        if (positions.stored().equals(third.start().plus(1000))) {
                            all.countDown();
                        }
                    };
            try (SpoolUploader _ =
                    new SpoolUploader(
                            spool,
                            archive,
                            positions,
                            Duration.ofMillis(20),
                            Progress.none(),
                            afterStored)) {
                assertThat(all.await(20, TimeUnit.SECONDS)).as("%s", wrong).isTrue();
            }
            assertThat(wrong).isEmpty();
        }
    }

    @Test
    void oneThatIsToEndLeavesWhatItHasNoTimeForInTheSpool() {
        Hooked store = new Hooked();
        WalArchive archive = archive(store);
        Positions positions = positions();
        try (Spool spool = Spool.open(folder, MIB)) {
            WalSegment next = FIRST;
            for (int i = 0; i < 5; i++) {
                receive(spool, positions, next, MIB);
                next = next.next();
            }
            CountDownLatch begun = new CountDownLatch(1);
            CountDownLatch over = new CountDownLatch(1);
            store.beforePut =
                    name -> {
                        if (name.equals(archive.objectName(FIRST))) {
                            begun.countDown();
                            awaitQuietly(over);
                        }
                    };
            SpoolUploader uploader =
                    new SpoolUploader(
                            spool,
                            archive,
                            positions,
                            Duration.ofMillis(1),
                            Progress.none(),
                            () -> {});
            awaitQuietly(begun);
            uploader.close(Duration.ofMillis(50)); // interrupts the put that waits
            uploader.check();
            assertThat(spool.finished()).isNotEmpty();
            assertThat(positions.stored())
                    .isEqualTo(spool.finished().getFirst().start())
                    .isEqualTo(archive.storedUpTo(FIRST));
        }
    }

    private static SpoolUploader uploader(Spool spool, WalArchive archive, Positions positions) {
        return new SpoolUploader(
                spool, archive, positions, Duration.ofHours(1), Progress.none(), () -> {});
    }

    @Test
    void whatArrivesIsCompressedBeforeTheSegmentIsWhole() {
        WalArchive archive = archive(new Hooked());
        Positions positions = positions();
        byte[] content = content(FIRST, MIB);
        try (Spool spool = Spool.open(folder, MIB);
                SpoolUploader uploader = uploader(spool, archive, positions)) {
            append(spool, positions, FIRST, content, 0, 3 * MIB / 4);
            uploader.arrived();
            await(() -> uploader.aheadBytes() == MIB / 2);
            assertThat(archive.has(FIRST)).isFalse();
            append(spool, positions, FIRST, content, 3 * MIB / 4, MIB);
            uploader.wake();
            await(() -> archive.has(FIRST) && spool.bytes() == 0);
            assertThat(archive.get(FIRST)).hasValue(content);
            assertThat(uploader.aheadBytes()).isZero();
        }
    }

    @Test
    void whatWasCompressedOfASegmentThatWasBegunAnewIsNotStored() {
        WalArchive archive = archive(new Hooked());
        Positions positions = positions();
        byte[] content = content(FIRST, MIB);
        byte[] other = content(FIRST.next(), MIB);
        try (Spool spool = Spool.open(folder, MIB);
                SpoolUploader uploader = uploader(spool, archive, positions)) {
            append(spool, positions, FIRST, other, 0, MIB / 2);
            uploader.arrived();
            await(() -> uploader.aheadBytes() == MIB / 2);
            spool.leave(Optional.empty());
            spool.left().forEach(spool::removeLeft);
            append(spool, positions, FIRST, content, 0, MIB);
            uploader.wake();
            await(() -> archive.has(FIRST) && spool.bytes() == 0);
            assertThat(archive.get(FIRST)).hasValue(content);
        }
    }

    private static WalArchive archive(ObjectStore store) {
        Ground ground = new Ground(() -> Instant.parse("2026-11-21T07:00:00Z"), new Random(1));
        return Repository.create(store, Optional.empty(), ground)
                .sourceOrAdd("orders")
                .wal(SystemId.of(7_300_000_000_000_000_001L), 1);
    }

    private static Positions positions() {
        Positions positions =
                new Positions(() -> Instant.parse("2026-11-21T07:00:00Z"), FIRST.timeline());
        positions.storedBefore(FIRST.start());
        return positions;
    }

    private static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("waited too long").isLessThan(deadline);
            LockSupport.parkNanos(1_000_000);
        }
    }

    private static byte[] content(WalSegment segment, int bytes) {
        byte[] content = new byte[bytes];
        new Random(segment.number()).nextBytes(content);
        return content;
    }

    private static void append(
            Spool spool,
            Positions positions,
            WalSegment segment,
            byte[] content,
            int from,
            int to) {
        spool.append(segment, from, ByteBuffer.wrap(content, from, to - from));
        spool.sync().ifPresent(positions::spooled);
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            boolean _ = latch.await(20, TimeUnit.SECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void receive(Spool spool, Positions positions, WalSegment segment, int bytes) {
        append(spool, positions, segment, content(segment, bytes), 0, bytes);
    }

    /// Does something before each put.
    private static final class Hooked extends ForwardingStore {
        private java.util.function.Consumer<String> beforePut = _ -> {};

        Hooked() {
            super(MemoryStore.create());
        }

        @Override
        public PutOutcome put(String name, ByteBuffer... content) {
            beforePut.accept(name);
            return inner.put(name, content);
        }
    }
}

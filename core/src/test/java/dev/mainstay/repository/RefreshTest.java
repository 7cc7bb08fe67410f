package dev.mainstay.repository;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.ByteSize;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ManifestEntry.Content;
import dev.mainstay.repository.format.SegmentMap;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.api.Test;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/// Frames that have become thin are given up within the budget, those first that free most bytes;
/// the rest is debt that later backups pay.
class RefreshTest {
    private static final int BLOCK = 1024;
    private static final int PAGES = 64;
    private static final String PATH = "base/5/16384";

    private final Random random = new Random(1);
    private final ProtectedSource source =
            Repository.create(
                            MemoryStore.create(),
                            Optional.empty(),
                            new Ground(() -> Instant.parse("2026-11-21T04:15:00Z"), new Random(1)))
                    .sourceOrAdd("orders");
    private final byte[] content = new byte[PAGES * BLOCK];

    private CommittedBackup backUp(Optional<CommittedBackup> parent, long budget) {
        BackupOptions options =
                new BackupOptions(
                        parent.isPresent() ? "incremental" : "full",
                        parent,
                        3,
                        ByteSize.mib(1),
                        new BackupOptions.FrameShape(16, 4, 256, 1024, 4096),
                        budget);
        try (BackupWriter writer = source.newBackup(options)) {
            writer.blockSize(BLOCK);
            try (BackupWriter.Worker worker = writer.worker(BLOCK)) {
                worker.pagedFile(
                        new FileFacts(PATH, 0600, "", "", 1),
                        PAGES,
                        (first, pages, into) -> {
                            System.arraycopy(content, first * BLOCK, into, 0, pages * BLOCK);
                            return pages;
                        });
            }
            return writer.commit(Json.object());
        }
    }

    private void fill(int from, int to) {
        byte[] page = new byte[BLOCK];
        for (int block = from; block < to; block++) {
            random.nextBytes(page);
            System.arraycopy(page, 0, content, block * BLOCK, BLOCK);
        }
    }

    private static long number(CommittedBackup backup, String name) {
        return backup.statistics().number(name);
    }

    private List<Integer> framesOfPages(CommittedBackup backup, int... blocks) {
        List<Integer> lengths = new ArrayList<>();
        try (BackupReader reader = source.read(backup)) {
            reader.entries(
                    entry -> {
                        SegmentMap map = reader.map((Content.Paged) entry.content());
                        for (int block : blocks) {
                            lengths.add(map.frames().get(map.frameOf()[block]).pages());
                        }
                    });
        }
        return lengths;
    }

    @Test
    void debtIsRecordedAndPaidAndWhatFreesMostGoesFirst() {
        // Frames 0 and 2 do not compress; frame 1 is nearly nothing.
        fill(0, 16);
        fill(32, 64);
        CommittedBackup full = backUp(Optional.empty(), 0);
        assertThat(number(full, "page-bytes-referred")).isEqualTo(number(full, "page-bytes-live"));
        fill(0, 12); // 4 pages of frame 0 stay
        fill(16, 28); // 4 of frame 1
        fill(32, 46); // 2 of frame 2
        CommittedBackup short6 = backUp(Optional.of(full), 6);
        assertThat(number(short6, "pages-changed")).isEqualTo(38);
        assertThat(number(short6, "pages-refreshed")).isEqualTo(6);
        assertThat(number(short6, "refresh-debt-pages")).isEqualTo(4);
        assertThat(number(short6, "refresh-debt-bytes")).isBetween(1L, 500L);
        assertThat(framesOfPages(short6, 12, 46, 28))
                .as("frames 2 and 0 are given up, frame 1 is still there")
                .containsExactly(4, 2, 16);
        CommittedBackup paid = backUp(Optional.of(short6), 4);
        assertThat(number(paid, "pages-changed")).isZero();
        assertThat(number(paid, "pages-refreshed")).isEqualTo(4);
        assertThat(number(paid, "refresh-debt-pages")).isZero();
        assertThat(number(paid, "refresh-debt-bytes")).isZero();
        assertThat(number(paid, "page-bytes-referred"))
                .isLessThanOrEqualTo(2 * number(paid, "page-bytes-live"));
        CommittedBackup again = backUp(Optional.of(paid), 100);
        assertThat(number(again, "pages-stored")).isZero();
    }

    @Test
    void aFrameThatIsHalfLiveStays() {
        fill(0, 64);
        CommittedBackup full = backUp(Optional.empty(), 0);
        fill(0, 8);
        CommittedBackup half = backUp(Optional.of(full), 100);
        assertThat(number(half, "pages-refreshed")).isZero();
        fill(8, 9);
        CommittedBackup less = backUp(Optional.of(half), 100);
        assertThat(number(less, "pages-refreshed")).isEqualTo(7);
    }
}

package dev.mainstay.engine.archive;

import static dev.mainstay.engine.archive.LaneSite.content;
import static dev.mainstay.engine.archive.LaneSite.segment;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.WalSegment;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/// Recoveries and pushes together, with real workers.
class WalAheadTest {
    private static final int SEGMENTS = 40;

    @TempDir private Path folder;
    private LaneSite site;

    @BeforeEach
    void open() throws IOException {
        site = new LaneSite(folder);
    }

    private boolean recover(WalAhead ahead, Path wal, WalSegment segment) throws IOException {
        Path fresh = wal.resolve("RECOVERYXLOG.mainstay~1");
        boolean found = ahead.get(site.get(), segment.fileName(), fresh, true);
        if (found) {
            assertThat(fresh).hasBinaryContent(content(segment));
            Files.delete(fresh);
        }
        return found;
    }

    @Test
    void twoRecoveriesAtOnceGetTheirSegmentsInOrderUpToTheEnd() throws Exception {
        site.store(1, SEGMENTS);
        Path other = Files.createDirectories(folder.resolve("other/pg_wal"));
        try (WalAhead ahead = new WalAhead(site.notes::add);
                ExecutorService servers = Executors.newFixedThreadPool(2)) {
            Future<Integer> first = servers.submit(() -> recover(ahead, site.wal));
            Future<Integer> second = servers.submit(() -> recover(ahead, other));
            assertThat(first.get(60, TimeUnit.SECONDS)).isEqualTo(SEGMENTS);
            assertThat(second.get(60, TimeUnit.SECONDS)).isEqualTo(SEGMENTS);
            // A standby waits at the end: what is stored later is found when it is there.
            assertThat(recover(ahead, other, segment(SEGMENTS + 1))).isFalse();
            site.store(SEGMENTS + 1, SEGMENTS + 2);
            assertThat(recover(ahead, other, segment(SEGMENTS + 1))).isTrue();
            assertThat(recover(ahead, other, segment(SEGMENTS + 2))).isTrue();
            assertThat(recover(ahead, other, segment(SEGMENTS + 3))).isFalse();
        }
        assertThat(site.wal.resolve(FetchLane.FOLDER)).doesNotExist();
        assertThat(other).isEmptyDirectory();
        assertThat(site.notes).isEmpty();
    }

    private int recover(WalAhead ahead, Path wal) throws IOException {
        int found = 0;
        while (recover(ahead, wal, segment(found + 1))) {
            found++;
        }
        return found;
    }

    @Test
    void aSingleFileIsFetchedAlone() throws IOException {
        site.store(1, 12);
        byte[] history = "1\t0/2000000\tno recovery target\n".getBytes(StandardCharsets.US_ASCII);
        site.archive.putFile("00000002.history", history);
        try (WalAhead ahead = new WalAhead(site.notes::add)) {
            for (int number = 1; number <= 5; number++) { // as pg_rewind asks
                WalSegment segment = segment(number);
                Path fresh = site.wal.resolve(segment.fileName() + ".mainstay~1");
                assertThat(ahead.get(site.get(), segment.fileName(), fresh, false)).isTrue();
                assertThat(fresh).hasBinaryContent(content(segment));
            }
            Path fresh = site.wal.resolve("RECOVERYHISTORY.mainstay~1");
            assertThat(ahead.get(site.get(), "00000002.history", fresh, true)).isTrue();
            assertThat(fresh).hasBinaryContent(history);
            Path none = site.wal.resolve("RECOVERYHISTORY.mainstay~2");
            assertThat(ahead.get(site.get(), "00000003.history", none, true)).isFalse();
            assertThat(none).doesNotExist();
            assertThat(site.wal.resolve(FetchLane.FOLDER)).doesNotExist();
            assertThat(site.store.gets.stream().filter(name -> name.startsWith("wal/"))).hasSize(6);
        }
    }

    @Test
    void everythingThatIsPushedIsThereWhenItsPushIsAnswered() throws Exception {
        for (int number = 1; number <= SEGMENTS; number++) {
            site.ready(segment(number));
        }
        try (WalAhead ahead = new WalAhead(site.notes::add)) {
            for (int number = 1; number <= SEGMENTS; number++) {
                WalSegment segment = segment(number);
                ahead.push(site.push(), site.wal.resolve(segment.fileName()), folder);
                assertThat(site.archive.get(segment)).contains(content(segment));
                Files.delete(site.wal.resolve("archive_status/" + segment.fileName() + ".ready"));
            }
        }
    }
}

package dev.mainstay.engine.restore;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.repository.format.Digest128;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.Content;
import dev.mainstay.repository.format.PackClass;
import dev.mainstay.repository.format.PackId;
import dev.mainstay.repository.format.SegmentMap;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// What several threads write in any order is what the file holds, past the page cache or through
/// it.
class FileSinkTest {
    private static final int BLOCK = 8192;

    @TempDir Path folder;

    /// @param runs pages in a row from one frame
    private FileWork file(int pages, int runs) {
        FrameRef ref = new FrameRef(PackClass.BASE, new PackId(new byte[32]), 0, 0, 1);
        List<SegmentMap.MappedFrame> frames = new ArrayList<>();
        int[] frameOf = new int[pages];
        for (int page = 0; page < pages; page++) {
            frameOf[page] = page / runs;
        }
        for (int frame = 0; frame <= (pages - 1) / runs; frame++) {
            frames.add(new SegmentMap.MappedFrame(ref, runs, new Digest128(0, 0)));
        }
        ManifestEntry entry =
                new ManifestEntry(
                        "base/5/1",
                        0600,
                        "",
                        "",
                        0,
                        (long) pages * BLOCK,
                        0,
                        new Content.Paged(ref, 0, java.util.Optional.empty()));
        return new FileWork(
                entry,
                folder.resolve("file"),
                new FileWork.Pages(new SegmentMap(BLOCK, frames, frameOf)));
    }

    private record Piece(int from, int length) {}

    private void write(FileWork file, byte[] content, int run) throws Exception {
        List<Piece> pieces = new ArrayList<>();
        for (int at = 0; at < content.length; at += run * BLOCK) {
            pieces.add(new Piece(at, Math.min(run * BLOCK, content.length - at)));
        }
        Collections.shuffle(pieces, new Random(7));
        Queue<Piece> queue = new ConcurrentLinkedQueue<>(pieces);
        Files.createFile(file.path());
        file.giveLength();
        try (FileSyncs syncs = new FileSyncs(new Ownership(folder, file.entry()));
                ExecutorService threads = Executors.newFixedThreadPool(3)) {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                running.add(
                        threads.submit(
                                () -> {
                                    try (FileSink sink = new FileSink(syncs)) {
                                        for (Piece next = queue.poll();
                                                next != null;
                                                next = queue.poll()) {
                                            sink.write(
                                                    file,
                                                    content,
                                                    next.from,
                                                    next.length,
                                                    next.from);
                                        }
                                    }
                                }));
            }
            for (Future<?> each : running) {
                each.get();
            }
            syncs.await();
        }
    }

    @Test
    void largePiecesWithAShortLastOne() throws Exception {
        FileWork file = file(128 * 9 + 5, 128);
        assertThat(file.alignment()).isEqualTo(BLOCK);
        byte[] content = random((128 * 9 + 5) * BLOCK);
        write(file, content, 128);
        assertThat(Files.readAllBytes(file.path())).isEqualTo(content);
    }

    @Test
    void piecesLargerThanTheMemoryForOne() throws Exception {
        FileWork file = file(600, 300);
        byte[] content = random(600 * BLOCK);
        write(file, content, 300);
        assertThat(Files.readAllBytes(file.path())).isEqualTo(content);
    }

    @Test
    void scatteredPagesGoThroughTheCache() throws Exception {
        FileWork file = file(500, 3);
        assertThat(file.alignment()).isEqualTo(1);
        byte[] content = random(500 * BLOCK);
        write(file, content, 3);
        assertThat(Files.readAllBytes(file.path())).isEqualTo(content);
    }

    @Test
    void anEmptyFileStaysEmpty() throws IOException {
        FileWork file = file(0, 1);
        Files.createFile(file.path());
        file.giveLength();
        assertThat(Files.size(file.path())).isZero();
    }

    private static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new Random(3).nextBytes(bytes);
        return bytes;
    }
}

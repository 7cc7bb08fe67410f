package dev.mainstay.bench;

import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/// How well and how fast zstd packs frames of so many pages, side by side or from all over a file.
final class FrameFigures {
    private static final int[] SIZES = {8, 16, 32, 48, 64, 128};
    private static final int LEVEL = 3;
    private static final int PASSES = 3;
    private static final int MOST_PAGES = 8192;

    private FrameFigures() {}

    /// Prints a table of the largest relation files.
    static void print(Path dataDirectory) throws IOException {
        List<Path> files = new ArrayList<>(RelationFiles.list(dataDirectory));
        files.sort(Comparator.comparingLong(FrameFigures::size).reversed());
        System.out.println("| file | pages | frame | ratio | MB/s in | MB/s out |");
        System.out.println("|---|---|---|---|---|---|");
        for (Path file : files.subList(0, 2)) {
            for (int pages : SIZES) {
                print(file, pages, false);
                print(file, pages, true);
            }
        }
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException gone) {
            return 0;
        }
    }

    /// Frames of whole pages, as a backup would lay them out.
    private static List<byte[]> frames(Path path, int pages, boolean scattered) throws IOException {
        int count = (int) Math.min(MOST_PAGES, size(path) / RelationFiles.BLOCK) / pages * pages;
        Integer[] order = new Integer[(int) (size(path) / RelationFiles.BLOCK)];
        Arrays.setAll(order, i -> i);
        if (scattered) {
            // A backup takes changed pages in the order of the file: far apart, but ascending.
            List<Integer> shuffled = Arrays.asList(order);
            java.util.Collections.shuffle(shuffled, new Random(1));
            int stride = Math.max(1, order.length / count);
            shuffled.sort(Comparator.comparingInt(page -> page % stride));
        }
        List<byte[]> frames = new ArrayList<>();
        byte[] one = new byte[RelationFiles.BLOCK];
        try (FileChannel file = RelationFiles.open(path)) {
            for (int at = 0; at + pages <= count; at += pages) {
                Integer[] blocks = Arrays.copyOfRange(order, at, at + pages);
                Arrays.sort(blocks);
                byte[] frame = new byte[pages * RelationFiles.BLOCK];
                for (int i = 0; i < pages; i++) {
                    RelationFiles.read(file, blocks[i], 1, one);
                    System.arraycopy(one, 0, frame, i * one.length, one.length);
                }
                frames.add(frame);
            }
        }
        return frames;
    }

    private static void print(Path path, int pages, boolean scattered) throws IOException {
        List<byte[]> frames = frames(path, pages, scattered);
        long plain = 0;
        long packed = 0;
        double in = Double.MAX_VALUE;
        double out = Double.MAX_VALUE;
        try (ZstdCompressCtx compress = new ZstdCompressCtx().setLevel(LEVEL);
                ZstdDecompressCtx expand = new ZstdDecompressCtx()) {
            for (int pass = 0; pass < PASSES; pass++) {
                plain = 0;
                packed = 0;
                long inNanos = 0;
                long outNanos = 0;
                for (byte[] frame : frames) {
                    long begin = System.nanoTime();
                    byte[] small = compress.compress(frame);
                    long middle = System.nanoTime();
                    byte[] back = expand.decompress(small, frame.length);
                    outNanos += System.nanoTime() - middle;
                    inNanos += middle - begin;
                    plain += back.length;
                    packed += small.length;
                }
                in = Math.min(in, (double) inNanos);
                out = Math.min(out, (double) outNanos);
            }
        }
        System.out.printf(
                Locale.ROOT,
                "| %s | %d | %s | %.2f | %.0f | %.0f |%n",
                path.getFileName(),
                pages,
                scattered ? "scattered" : "neighbours",
                (double) plain / packed,
                plain / in * 1000,
                plain / out * 1000);
    }
}

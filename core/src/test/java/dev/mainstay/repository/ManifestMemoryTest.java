package dev.mainstay.repository;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.repository.format.Digest128;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.PackClass;
import dev.mainstay.repository.format.PackId;
import dev.mainstay.storage.ForwardingStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.Random;

/// What a backup keeps of its files does not grow with them, be they many or large: in a process
/// with little memory, maps of a simulated cluster are stored. `-Dmainstay.core.tib=10` makes the
/// large one of 10 TiB; it has 0.3 without.
class ManifestMemoryTest {
    private static final int BLOCK = 8192;
    private static final int MIB = 1 << 20;

    @Test
    void ofVeryManySmallFiles() throws Exception {
        assertThat(exitCode("128m", 600_000, 1)).isZero();
    }

    @Test
    void ofALargeCluster() throws Exception {
        int files =
                (int) (1024 * Double.parseDouble(System.getProperty("mainstay.core.tib", "0.3")));
        assertThat(exitCode("192m", files, 131_072)).isZero();
    }

    private static int exitCode(String memory, int files, int pages)
            throws IOException, InterruptedException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx" + memory,
                        "-XX:+UseSerialGC",
                        "-XX:+ExitOnOutOfMemoryError",
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-cp",
                        System.getProperty("java.class.path"),
                        ManifestMemoryTest.class.getName(),
                        Integer.toString(files),
                        Integer.toString(pages))
                .inheritIO()
                .start()
                .waitFor();
    }

    /// Stores the maps of so many files of so many pages each.
    public static void main(String[] arguments) {
        int files = Integer.parseInt(arguments[0]);
        int pages = Integer.parseInt(arguments[1]);
        Random random = new Random(1);
        Ground ground = new Ground(() -> Instant.parse("2026-11-21T04:15:00Z"), random);
        Vault vault =
                Repository.create(new Forgetful(), Optional.empty(), ground)
                        .sourceOrAdd("orders")
                        .vault();
        PackUploads uploads = new PackUploads(vault.store, vault.ground.beside(), 2);
        try (ManifestAssembly assembly =
                new ManifestAssembly(
                        new PackStream(vault, PackClass.METADATA, 16 * MIB, uploads),
                        new PackStream(vault, PackClass.FINGERPRINTS, 16 * MIB, uploads),
                        3,
                        BLOCK,
                        4096,
                        uploads::named)) {
            for (int i = 0; i < files; i++) {
                assembly.add(file("base/5/" + (100_000 + i), pages, random));
            }
            assembly.finish();
            if (assembly.manifest().isEmpty()) {
                throw new AssertionError("no manifest");
            }
        }
        System.exit(0); // whatever threads there are
    }

    private static PagedFile file(String path, int pages, Random random) {
        PagedFile file =
                new PagedFile(new FileFacts(path, 0600, "postgres", "postgres", 1), BLOCK, pages);
        byte[] pack = new byte[32];
        random.nextBytes(pack);
        for (int from = 0, number = 0; from < pages; from += 128, number++) {
            int count = Math.min(128, pages - from);
            int[] blocks = new int[count];
            for (int i = 0; i < count; i++) {
                blocks[i] = from + i;
                file.fingerprints[from + i] = random.nextLong();
            }
            FrameRef ref =
                    new FrameRef(
                            PackClass.BASE, new PackId(pack), number, number * 300_000L, 299_999);
            file.place(
                    PendingFrame.of(ref),
                    blocks,
                    count,
                    new Digest128(random.nextLong(), random.nextLong()));
        }
        return file;
    }

    /// Keeps what is no pack.
    private static final class Forgetful extends ForwardingStore {
        Forgetful() {
            super(MemoryStore.create());
        }

        @Override
        public PutOutcome put(String name, ByteBuffer... content) {
            return name.startsWith("packs/") ? PutOutcome.CREATED : inner.put(name, content);
        }
    }
}

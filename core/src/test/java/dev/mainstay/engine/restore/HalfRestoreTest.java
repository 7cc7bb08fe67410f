package dev.mainstay.engine.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/// Only what an interrupted restore left is removed.
class HalfRestoreTest {
    private static final String CONTENT = "PG_17_202406281";

    @TempDir private Path root;
    private Path data = Path.of("");
    private Path space = Path.of("");
    private Path precious = Path.of("");
    private MarkerText text = text(List.of());

    private static MarkerText text(List<Path> tablespaces) {
        return new MarkerText(
                "0123456789abcdef",
                "20261121T090000Z-01020304",
                Path.of("/"),
                "",
                CONTENT,
                tablespaces);
    }

    /// With links to what is precious wherever a restore, or somebody, could have put one.
    @BeforeEach
    void half() throws IOException {
        root = root.toRealPath();
        precious = Files.createDirectories(root.resolve("precious/inner"));
        Files.writeString(precious.resolve("letter"), "dear");
        data = Files.createDirectories(root.resolve("data"));
        space = Files.createDirectories(root.resolve("space"));
        text = text(List.of(space, root.resolve("never")));
        RestoreMarker.make(data, text).close();
        RestoreMarker.make(space, text.in(space, "")).close();
        Files.createDirectories(data.resolve("base/5/deep"));
        Files.writeString(data.resolve("base/5/1259"), "page");
        Files.createSymbolicLink(data.resolve("base/5/out"), precious);
        Files.createSymbolicLink(data.resolve("pg_wal"), precious);
        Files.createDirectories(data.resolve("pg_tblspc"));
        Files.createSymbolicLink(data.resolve("pg_tblspc/16400"), space);
        Files.createSymbolicLink(data.resolve("pg_tblspc/16401"), precious);
        Files.createDirectories(space.resolve(CONTENT + "/5"));
        Files.writeString(space.resolve(CONTENT + "/5/16402"), "page");
        Files.createSymbolicLink(space.resolve(CONTENT + "/out"), precious);
    }

    /// Everything there is, links as such.
    private Map<String, String> everything() throws IOException {
        Map<String, String> all = new TreeMap<>();
        try (Stream<Path> paths = Files.walk(root)) {
            for (Path path : (Iterable<Path>) paths::iterator) {
                String is = "directory";
                if (Files.isSymbolicLink(path)) {
                    is = "link to " + Files.readSymbolicLink(path);
                } else if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
                    is = Files.readString(path);
                }
                all.put(root.relativize(path).toString(), is);
            }
        }
        return all;
    }

    private static void refused(ThrowingCallable what, String because) {
        assertThatThrownBy(what)
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        refused ->
                                assertThat(refused.code())
                                        .isEqualTo(ErrorCode.RESTORE_DIRECTORY_UNSAFE))
                .hasMessageContaining(because);
    }

    private void isNoneAndNothingChanges(Path directory) throws IOException {
        Map<String, String> before = everything();
        assertThat(HalfRestore.find(directory)).isEmpty();
        assertThat(everything()).isEqualTo(before);
    }

    @Test
    void itsFilesGoAndWhatLinksLeadToStays() throws IOException {
        HalfRestore half = HalfRestore.find(data).orElseThrow();
        assertThat(half.directories()).containsExactly(data, space);
        half.remove();
        assertThat(data).isEmptyDirectory();
        assertThat(space).isEmptyDirectory();
        assertThat(precious.resolve("letter")).hasContent("dear");
        assertThat(HalfRestore.find(data)).isEmpty();
    }

    @Test
    void aDirectoryThatIsReachedThroughALinkKeepsTheLink() throws IOException {
        Path link = Files.createSymbolicLink(root.resolve("link"), data);
        HalfRestore half = HalfRestore.find(link).orElseThrow();
        assertThat(half.directories()).containsExactly(data, space);
        half.remove();
        assertThat(link).isSymbolicLink();
        assertThat(data).isEmptyDirectory();
    }

    @Test
    void theMarkerOfACopyOrOfAMovedDirectoryMeansNothing() throws IOException {
        Path copy = Files.createDirectory(root.resolve("copy"));
        Files.copy(data.resolve(RestoreMarker.NAME), copy.resolve(RestoreMarker.NAME));
        isNoneAndNothingChanges(copy);

        Files.move(data, root.resolve("moved"));
        isNoneAndNothingChanges(root.resolve("moved"));
        Files.move(copy, data); // the right place, but another directory
        isNoneAndNothingChanges(data);
    }

    @ParameterizedTest
    @ValueSource(strings = {"global/pg_control", "postmaster.opts", "postmaster.pid"})
    void whatMightBeACluster(String file) throws IOException {
        HalfRestore half = HalfRestore.find(data).orElseThrow();
        Files.createDirectories(data.resolve(file).getParent());
        Files.writeString(data.resolve(file), "1");
        isNoneAndNothingChanges(data);
        Map<String, String> before = everything();
        refused(half::remove, "no interrupted restore any more");
        assertThat(everything()).isEqualTo(before);
    }

    @Test
    void aLinkWhereTheControlFileWouldBeHidesIt() throws IOException {
        Files.createSymbolicLink(data.resolve("global"), precious);
        isNoneAndNothingChanges(data);
    }

    @Test
    void withoutAWholeMarkerItIsNone() throws IOException {
        Path marker = data.resolve(RestoreMarker.NAME);
        byte[] whole = Files.readAllBytes(marker);
        for (int length = 0; length < whole.length; length++) {
            Files.write(marker, Arrays.copyOf(whole, length));
            assertThat(HalfRestore.find(data)).as("%d bytes", length).isEmpty();
        }
        Files.writeString(marker, new String(whole, StandardCharsets.UTF_8) + "\n");
        isNoneAndNothingChanges(data);
        Files.delete(marker);
        isNoneAndNothingChanges(data);
        Path elsewhere = Files.write(root.resolve("marker"), whole);
        Files.createSymbolicLink(marker, elsewhere);
        isNoneAndNothingChanges(data);
        assertThat(HalfRestore.find(root.resolve("absent"))).isEmpty();
        assertThat(HalfRestore.find(elsewhere)).isEmpty();
    }

    @Test
    void whatSomebodyPutIntoATablespaceKeepsEverything() throws IOException {
        Path other = Files.createDirectory(space.resolve("PG_16_202307071"));
        HalfRestore half = HalfRestore.find(data).orElseThrow();
        Map<String, String> before = everything();
        refused(half::remove, other + " was not put there");
        assertThat(everything()).isEqualTo(before);
    }

    @Test
    void aTablespaceWithoutTheMarkerOfTheSameRestoreIsLeftAlone() throws IOException {
        Path marker = space.resolve(RestoreMarker.NAME);
        byte[] whole = Files.readAllBytes(marker);
        Files.delete(marker);
        assertThat(HalfRestore.find(data).orElseThrow().directories()).containsExactly(data);

        Files.writeString(
                marker,
                new String(whole, StandardCharsets.UTF_8)
                        .replace(text.restore(), "fedcba9876543210"));
        HalfRestore half = HalfRestore.find(data).orElseThrow();
        assertThat(half.directories()).containsExactly(data);
        half.remove();
        assertThat(data).isEmptyDirectory();
        assertThat(space.resolve(CONTENT + "/5/16402")).hasContent("page");
    }

    @Test
    void aTablespaceThatBecameAnotherDirectoryMeanwhileIsNotEmptied() throws IOException {
        HalfRestore half = HalfRestore.find(data).orElseThrow();
        Files.move(space, root.resolve("old-space"));
        Files.createSymbolicLink(space, precious);
        Map<String, String> before = everything();
        refused(half::remove, "is no tablespace of the interrupted restore any more");
        assertThat(everything()).isEqualTo(before);
    }

    @Test
    void anotherRestoreThatDiedThereMeanwhileWasNotTheOneThatWasShown() throws IOException {
        HalfRestore half = HalfRestore.find(data).orElseThrow();
        Files.writeString(
                data.resolve(RestoreMarker.NAME),
                Files.readString(data.resolve(RestoreMarker.NAME))
                        .replace(text.restore(), "fedcba9876543210"));
        Map<String, String> before = everything();
        refused(half::remove, "another restore into " + data + " began meanwhile");
        assertThat(everything()).isEqualTo(before);
    }

    @Test
    void whileItIsUnderWayNothingGoes() throws Exception {
        HalfRestore half = HalfRestore.find(data).orElseThrow();
        Path other = Files.createDirectories(root.resolve("other"));
        try (RestoreMarker _ = RestoreMarker.make(other, text(List.of()))) {
            refused(() -> HalfRestore.find(other), "may still be under way");
            assertThat(child(other)).contains("may still be under way");
            assertThat(other).isNotEmptyDirectory();
        }
        try (HeldDirectory held = HeldDirectory.open(data);
                RestoreMarker _ =
                        RestoreMarker.take(held, RestoreMarker.read(held).orElseThrow())) {
            refused(half::remove, "may still be under way");
            assertThat(child(data)).contains("may still be under way");
            assertThat(data.resolve("base/5/1259")).hasContent("page");
        }
        assertThat(child(other)).isEqualTo("removed " + other + "\n");
        assertThat(other).isEmptyDirectory();
    }

    /// What another process gets to hear.
    private static String child(Path directory) throws Exception {
        Process process =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                                "-XX:TieredStopAtLevel=1",
                                "-cp",
                                System.getProperty("java.class.path"),
                                Remover.class.getName(),
                                directory.toString())
                        .redirectErrorStream(true)
                        .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return output;
    }

    /// Runs in a process of its own.
    static final class Remover {
        private Remover() {}

        public static void main(String[] arguments) {
            try {
                HalfRestore.find(Path.of(arguments[0])).orElseThrow().remove();
                System.out.println("removed " + arguments[0]);
            } catch (MainstayException refused) {
                System.out.println(refused.getMessage());
            }
        }
    }

    @Test
    void ofManyRestoresIntoOneDirectoryOneBegins() throws Exception {
        int many = 8;
        Path fresh = Files.createDirectory(root.resolve("fresh"));
        CountDownLatch start = new CountDownLatch(1);
        try (ExecutorService threads = Executors.newFixedThreadPool(many)) {
            List<Future<RestoreMarker>> tries =
                    Stream.generate(
                                    () ->
                                            threads.submit(
                                                    () -> {
                                                        start.await();
                                                        return RestoreMarker.make(
                                                                fresh, text(List.of()));
                                                    }))
                            .limit(many)
                            .toList();
            start.countDown();
            int made = 0;
            for (Future<RestoreMarker> each : tries) {
                try {
                    each.get().close();
                    made++;
                } catch (java.util.concurrent.ExecutionException refused) {
                    assertThat(refused.getCause())
                            .isInstanceOf(MainstayException.class)
                            .hasMessageContaining("may still be under way");
                }
            }
            assertThat(made).isEqualTo(1);
        }
        assertThat(HalfRestore.find(fresh)).isPresent();
    }

    /// Such as one that another restore completed after it was seen to be empty.
    @Test
    void aDirectoryThatIsNotEmptyIsNotMarked() throws IOException {
        Path full = Files.createDirectory(root.resolve("full"));
        Files.writeString(full.resolve("PG_VERSION"), "17\n");
        Map<String, String> before = everything();
        refused(() -> RestoreMarker.make(full, text), "is not an empty directory any more");
        assertThat(everything()).isEqualTo(before);
    }

    @Test
    void oddNamesSurviveTheMarker() {
        MarkerText odd =
                new MarkerText(
                        "r",
                        "b",
                        Path.of("/a\\n b\n\\"),
                        "(dev=1,ino=2)",
                        CONTENT,
                        List.of(Path.of("/x\nend\n"), Path.of("/ü")));
        assertThat(MarkerText.parse(odd.bytes())).contains(odd);
    }
}

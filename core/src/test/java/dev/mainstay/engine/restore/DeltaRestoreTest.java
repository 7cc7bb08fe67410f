package dev.mainstay.engine.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.repository.CommittedBackup;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;

/// Whatever happened to a data directory, afterwards it is what a plain restore makes of an empty
/// one, and nothing else was touched.
class DeltaRestoreTest {
    @TempDir private Path root;
    private Path data = Path.of("");
    private Path space = Path.of("");
    private Path precious = Path.of("");

    @BeforeEach
    void directories() throws IOException {
        root = root.toRealPath();
        data = root.resolve("data");
        space = root.resolve("space");
        precious = Files.createDirectories(root.resolve("precious/inner"));
        Files.writeString(precious.resolve("letter"), "dear");
    }

    /// What a plain restore makes of empty directories, with the names of the real ones.
    private Map<String, String> expected(DeltaSite site, CommittedBackup backup)
            throws IOException {
        Path aside = Files.createDirectories(root.resolve("aside"));
        boolean there = Files.exists(data);
        if (there) {
            Files.move(data, aside.resolve("data"));
            Files.move(space, aside.resolve("space"));
        }
        site.restore(backup, data, space);
        Map<String, String> picture = picture();
        delete(data);
        delete(space);
        if (there) {
            Files.move(aside.resolve("data"), data);
            Files.move(aside.resolve("space"), space);
        }
        return picture;
    }

    private Map<String, String> picture() throws IOException {
        Map<String, String> picture = DeltaSite.picture(data);
        DeltaSite.picture(space).forEach((path, what) -> picture.put("space/" + path, what));
        return picture;
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void afterAnyDamageItIsWhatAPlainRestoreMakes(long seed) throws IOException {
        Random random = new Random(seed);
        DeltaSite site = new DeltaSite(seed, space);
        CommittedBackup[] backups = new CommittedBackup[3];
        for (int i = 0; i < backups.length; i++) {
            backups[i] = site.backUp();
            site.change();
        }
        if (seed % 2 == 0) {
            site.dropFingerprints();
        }
        Map<String, String> preciousBefore = DeltaSite.picture(root.resolve("precious"));
        site.restore(backups[random.nextInt(3)], data, space);
        for (int round = 0; round < 2; round++) {
            CommittedBackup backup = backups[random.nextInt(3)];
            Map<String, String> expected = expected(site, backup);
            damage(random);
            DeltaRestore.Result result = site.delta(backup, data, space);
            assertThat(picture()).as("seed %d, round %d", seed, round).isEqualTo(expected);
            assertThat(result.kept()).isPositive().isLessThanOrEqualTo(result.compared());
            assertThat(DeltaSite.picture(root.resolve("precious"))).isEqualTo(preciousBefore);
        }
    }

    /// With the store gone after any number of reads, until it comes to its end.
    @ParameterizedTest
    @ValueSource(longs = {11, 12})
    void interruptedAnywhereItGoesOnFromThere(long seed) throws IOException {
        Random random = new Random(seed);
        DeltaSite site = new DeltaSite(seed, space);
        CommittedBackup older = site.backUp();
        site.change();
        CommittedBackup newer = site.backUp();
        Map<String, String> expected = expected(site, older);
        site.restore(newer, data, space);
        damage(random);
        int interrupted = 0;
        for (int gets = 1; ; gets += 1 + random.nextInt(3)) {
            site.failAfter(gets);
            try {
                site.delta(older, data, space);
                break;
            } catch (MainstayException failed) {
                assertThat(failed.code()).isEqualTo(ErrorCode.STORE_UNAVAILABLE);
                site.failAfter(Integer.MAX_VALUE);
                if (Files.exists(data.resolve(DeltaMark.NAME))) {
                    interrupted++;
                    assertThat(data.resolve(ControlFile.PATH)).doesNotExist();
                    refused(
                            ErrorCode.RESTORE_DIRECTORY_UNSAFE,
                            "--delta",
                            () -> site.restore(older, data, space));
                    assertThat(HalfRestore.find(data)).isEmpty();
                }
            }
            if (random.nextInt(4) == 0) {
                damage(random);
            }
        }
        site.failAfter(Integer.MAX_VALUE);
        assertThat(interrupted).isPositive();
        assertThat(picture()).isEqualTo(expected);
    }

    @Test
    void onlyWhatDiffersIsFetched() throws IOException {
        DeltaSite site = new DeltaSite(21, space);
        CommittedBackup backup = site.backUp();
        site.restore(backup, data, space);
        DeltaRestore.Result same = site.delta(backup, data, space);
        // What the restore itself had appended to the settings is cut off again.
        assertThat(same.rewritten()).isEqualTo(ControlFile.SIZE_BYTES);
        site.dropFingerprints();
        Path relation = data.resolve("base/5/16385");
        write(relation, 0, new byte[] {1, 2, 3, 4});
        DeltaRestore.Result one = site.delta(backup, data, space);
        assertThat(one.fetched()).isGreaterThan(same.fetched()).isLessThan(10_000);
    }

    /// A restore that was interrupted is completed as well.
    @Test
    void halfAPlainRestoreIsCompleted() throws IOException {
        DeltaSite site = new DeltaSite(31, space);
        CommittedBackup backup = site.backUp();
        Map<String, String> expected = expected(site, backup);
        for (int gets = 4; !Files.exists(data.resolve("base/5/16385")); gets++) {
            HalfRestore.find(data).ifPresent(HalfRestore::remove);
            site.failAfter(gets);
            assertThatThrownBy(() -> site.restore(backup, data, space))
                    .isInstanceOf(MainstayException.class);
        }
        site.failAfter(Integer.MAX_VALUE);
        site.delta(backup, data, space);
        assertThat(picture()).isEqualTo(expected);
    }

    @Test
    void whatIsNotThisClusterIsRefusedAndNotTouched() throws IOException {
        DeltaSite site = new DeltaSite(41, space);
        CommittedBackup backup = site.backUp();
        site.restore(backup, data, space);
        Path control = data.resolve(ControlFile.PATH);

        Files.write(control, DeltaSite.control(SystemId.of(7)));
        untouched(ErrorCode.RESTORE_OTHER_CLUSTER, site, backup, data);
        byte[] damaged = DeltaSite.control(SystemId.of(7));
        damaged[100]++;
        Files.write(control, damaged);
        untouched(ErrorCode.RESTORE_OTHER_CLUSTER, site, backup, data);
        Files.delete(control);
        Files.writeString(data.resolve("PG_VERSION"), "16\n");
        untouched(ErrorCode.RESTORE_OTHER_CLUSTER, site, backup, data);
        Files.delete(data.resolve("PG_VERSION"));
        untouched(ErrorCode.RESTORE_DIRECTORY_UNSAFE, site, backup, data);
        untouched(ErrorCode.RESTORE_DIRECTORY_UNSAFE, site, backup, data.resolve("base/5"));
        untouched(ErrorCode.RESTORE_DIRECTORY_UNSAFE, site, backup, precious);
    }

    @Test
    void aLostOrDamagedControlFileIsNoReasonToRefuse() throws IOException {
        DeltaSite site = new DeltaSite(42, space);
        CommittedBackup backup = site.backUp();
        Map<String, String> expected = expected(site, backup);
        site.restore(backup, data, space);
        Files.delete(data.resolve(ControlFile.PATH));
        site.delta(backup, data, space);
        byte[] damaged = DeltaSite.control(DeltaSite.SYSTEM);
        damaged[100]++;
        Files.write(data.resolve(ControlFile.PATH), damaged);
        site.delta(backup, data, space);
        assertThat(picture()).isEqualTo(expected);
    }

    @Test
    void aTablespaceThatIsNotThisClustersIsRefused() throws IOException {
        DeltaSite site = new DeltaSite(43, space);
        CommittedBackup backup = site.backUp();
        site.restore(backup, data, space);
        Path other = Files.createDirectories(root.resolve("other"));
        Files.writeString(other.resolve("letter"), "dear");
        refused(
                ErrorCode.RESTORE_TABLESPACE,
                "is not empty",
                () -> site.delta(backup, data, other));
        assertThat(other.resolve("letter")).hasContent("dear");
        assertThat(data.resolve(ControlFile.PATH)).exists();
    }

    @Test
    void aTablespaceMayMoveAndItsOldPlaceStays() throws IOException {
        DeltaSite site = new DeltaSite(44, space);
        CommittedBackup backup = site.backUp();
        site.restore(backup, data, space);
        Map<String, String> before = DeltaSite.picture(space);
        Path other = root.resolve("other");
        DeltaRestore.Result result = site.delta(backup, data, other);
        assertThat(DeltaSite.picture(other)).isEqualTo(before);
        assertThat(DeltaSite.picture(space)).isEqualTo(before);
        assertThat(data.resolve(DeltaSite.SPACE).toRealPath()).isEqualTo(other);
        assertThat(result.outlook().notes()).anyMatch(note -> note.contains(space.toString()));
    }

    /// What else is in the place of a tablespace may be another server version's.
    @Test
    void otherVersionsInATablespaceStay() throws IOException {
        DeltaSite site = new DeltaSite(45, space);
        CommittedBackup backup = site.backUp();
        site.restore(backup, data, space);
        Path other = Files.createDirectories(space.resolve("PG_16_202307071/5"));
        Files.writeString(other.resolve("1"), "page");
        Files.writeString(space.resolve(DeltaSite.VERSION + "/stray"), "x");
        site.delta(backup, data, space);
        assertThat(other.resolve("1")).hasContent("page");
        assertThat(space.resolve(DeltaSite.VERSION + "/stray")).doesNotExist();
    }

    @Test
    void oneAtATime() throws IOException {
        DeltaSite site = new DeltaSite(46, space);
        CommittedBackup backup = site.backUp();
        site.restore(backup, data, space);
        try (HeldDirectory held = HeldDirectory.open(data);
                DeltaMark _ = DeltaMark.make(held, DeltaSite.SYSTEM)) {
            refused(
                    ErrorCode.RESTORE_DIRECTORY_UNSAFE,
                    "under way",
                    () -> site.delta(backup, data, space));
        }
        site.delta(backup, data, space);
        assertThat(data.resolve(DeltaMark.NAME)).doesNotExist();
    }

    @Test
    void aMarkThatWasCutShortSaysNothing() throws IOException {
        DeltaSite site = new DeltaSite(47, space);
        CommittedBackup backup = site.backUp();
        Map<String, String> expected = expected(site, backup);
        site.restore(backup, data, space);
        Files.writeString(data.resolve(DeltaMark.NAME), "mainstay-delta-inc");
        site.delta(backup, data, space);
        assertThat(picture()).isEqualTo(expected);
    }

    @Test
    void aLookChangesNothing() throws IOException {
        DeltaSite site = new DeltaSite(48, space);
        CommittedBackup backup = site.backUp();
        site.restore(backup, data, space);
        damage(new Random(48));
        Files.writeString(data.resolve("stray"), "x");
        Map<String, String> before = picture();
        DeltaRestore.Outlook outlook =
                new DeltaRestore(
                                site.source,
                                site.plan(backup, data, space),
                                dev.mainstay.engine.Progress.none())
                        .look();
        assertThat(outlook.removedNames()).contains("stray");
        assertThat(picture()).isEqualTo(before);
    }

    private void untouched(ErrorCode code, DeltaSite site, CommittedBackup backup, Path directory)
            throws IOException {
        Map<String, String> before = DeltaSite.picture(root);
        refused(code, "", () -> site.delta(backup, directory, space));
        assertThat(DeltaSite.picture(root)).isEqualTo(before);
    }

    private static void refused(ErrorCode code, String text, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        refused -> {
                            assertThat(refused.code()).isEqualTo(code);
                            assertThat(refused.getMessage() + refused.hint()).contains(text);
                        });
    }

    /// Anything that a server, a disk, an operator or an attacker may do to it.
    private void damage(Random random) throws IOException {
        List<Path> all;
        try (Stream<Path> inData = Files.walk(data);
                Stream<Path> inSpace = Files.walk(space)) {
            all =
                    Stream.concat(inData, inSpace)
                            .filter(path -> Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS))
                            .filter(path -> !path.endsWith("PG_VERSION"))
                            .filter(path -> !path.getFileName().toString().startsWith("postmaster"))
                            .filter(path -> !path.endsWith(DeltaMark.NAME))
                            .filter(path -> !path.endsWith(ControlFile.PATH))
                            .toList();
        }
        for (Path file : all) {
            damage(random, file);
        }
        Files.writeString(data.resolve("postmaster.opts"), "postgres");
        Files.writeString(data.resolve("postmaster.pid"), "999999999\n");
        Path stray = Files.createDirectories(data.resolve("base/" + random.nextInt(99) + "/deep"));
        Files.writeString(stray.resolve("file"), "x");
        Files.createSymbolicLink(stray.resolve("link" + random.nextInt()), precious);
        Files.createDirectories(space.resolve(DeltaSite.VERSION + "/9"));
        Files.createDirectories(data.resolve("pg_wal"));
        Files.write(data.resolve("pg_wal/000000010000000000000001"), new byte[100]);
        for (String directory : List.of("pg_xact", "pg_wal", "pg_linked", "pg_logical")) {
            if (random.nextInt(3) == 0 && Files.exists(data.resolve(directory))) {
                delete(data.resolve(directory));
                Files.createSymbolicLink(data.resolve(directory), precious);
            }
        }
        if (random.nextBoolean()) {
            Files.setPosixFilePermissions(
                    data.resolve("global"), PosixFilePermissions.fromString("rwxr-xr-x"));
        }
    }

    private void damage(Random random, Path file) throws IOException {
        long size = Files.size(file);
        switch (random.nextInt(12)) {
            case 0 -> write(file, size, new byte[random.nextInt(3000)]);
            case 1 -> {
                try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
                    out.setLength(size / 2);
                }
            }
            case 2 -> Files.delete(file);
            case 3 -> {
                Files.delete(file);
                Files.createSymbolicLink(file, precious.resolve("letter"));
            }
            case 4 -> {
                Files.delete(file);
                Files.createDirectories(file.resolve("inner"));
            }
            case 5 -> {
                Files.delete(file);
                Files.createLink(file, precious.resolve("letter"));
            }
            case 6 ->
                    Files.setPosixFilePermissions(
                            file, PosixFilePermissions.fromString("r--r--r--"));
            case 7, 8 -> {
                for (int i = 0; i < 4 && size > 0; i++) {
                    write(
                            file,
                            (long) (random.nextDouble() * size),
                            "changed".getBytes(StandardCharsets.US_ASCII));
                }
            }
            default -> {
                // as it was
            }
        }
    }

    private static void write(Path file, long position, byte[] bytes) throws IOException {
        try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
            out.seek(position);
            out.write(bytes);
        }
    }

    private static void delete(Path tree) throws IOException {
        if (Files.isDirectory(tree, LinkOption.NOFOLLOW_LINKS)) {
            try (Stream<Path> children = Files.list(tree)) {
                for (Path child : (Iterable<Path>) children::iterator) {
                    delete(child);
                }
            }
        }
        Files.delete(tree);
    }
}

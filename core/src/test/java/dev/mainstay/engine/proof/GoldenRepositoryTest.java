package dev.mainstay.engine.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.engine.Progress;
import dev.mainstay.postgres.wal.SampleLog;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.crypto.KeyFiles;
import dev.mainstay.repository.format.Bytes;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Repositories that the first program of format 1 wrote, the day it was frozen, stay readable for
/// ever. They are never written again; `-Dgolden=DIRECTORY` shows how they were made.
class GoldenRepositoryTest {
    private static final String PASSPHRASE = "correct horse battery staple";

    enum Kind {
        KEY_FILE,
        PASSPHRASE,
        OPEN;

        String folder() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        Optional<Credential> credential() {
            return switch (this) {
                case KEY_FILE -> Optional.of(new Credential.KeyFile(secret()));
                case PASSPHRASE ->
                        Optional.of(
                                new Credential.Passphrase(
                                        GoldenRepositoryTest.PASSPHRASE.getBytes(
                                                StandardCharsets.UTF_8)));
                case OPEN -> Optional.empty();
            };
        }
    }

    private static byte[] secret() {
        return Bytes.sha256("golden".getBytes(StandardCharsets.US_ASCII), 0, 6);
    }

    private static Path golden() {
        return Path.of("src/test/resources/golden/format-1");
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void repositoriesOfTheFirstProgramAreRead(Kind kind) throws IOException {
        Path folder = golden().resolve(kind.folder());
        Optional<Credential> credential =
                kind == Kind.KEY_FILE
                        ? Optional.of(KeyFiles.read(golden().resolve("repository.key")))
                        : kind.credential();
        Repository repository =
                Repository.open(
                        load(folder.resolve("repository")), credential, Ground.ofThisHost());
        ProtectedSource source = repository.source("orders").orElseThrow();
        List<String> read = new ArrayList<>();
        for (CommittedBackup backup : source.backups()) {
            read.addAll(lines(backup.id().text(), SampleRepository.restore(source, backup)));
        }
        for (long number = 4; number < 9; number++) {
            read.add(
                    hash(
                                    source.wal(SampleRepository.SYSTEM, 3)
                                            .get(SampleLog.segment(number))
                                            .orElseThrow())
                            + " wal "
                            + SampleLog.segment(number));
        }
        assertThat(read).isEqualTo(Files.readAllLines(folder.resolve("expected.txt")));
        VerifyReport report =
                new Verification(repository, RepositoryCheck.Options.everything(), Progress.none())
                        .run();
        assertThat(report.findings()).isEmpty();
        assertThat(report.summariesCompared()).isEqualTo(5);
    }

    private static List<String> lines(String backup, Map<String, byte[]> contents) {
        List<String> lines = new ArrayList<>();
        contents.forEach((path, bytes) -> lines.add(hash(bytes) + " " + backup + " " + path));
        return lines;
    }

    private static String hash(byte[] bytes) {
        return HexFormat.of().formatHex(Bytes.sha256(bytes, 0, bytes.length));
    }

    private static ObjectStore load(Path folder) throws IOException {
        ObjectStore store = MemoryStore.create();
        try (Stream<Path> files = Files.walk(folder)) {
            files.filter(Files::isRegularFile)
                    .forEach(
                            file -> {
                                try {
                                    store.put(
                                            folder.relativize(file).toString(),
                                            ByteBuffer.wrap(Files.readAllBytes(file)));
                                } catch (IOException failed) {
                                    throw new UncheckedIOException(failed);
                                }
                            });
        }
        return store;
    }

    @Test
    @EnabledIfSystemProperty(named = "golden", matches = ".+")
    void write() throws IOException {
        Path root = Path.of(System.getProperty("golden"));
        for (Kind kind : Kind.values()) {
            Path folder = root.resolve(kind.folder());
            ObjectStore store = MemoryStore.create();
            SampleRepository sample =
                    new SampleRepository(kind.folder().length(), kind.credential());
            sample.write(store);
            for (StoredObject object : store.list("", "", 10_000).objects()) {
                Path file = folder.resolve("repository").resolve(object.name());
                Files.createDirectories(java.util.Objects.requireNonNull(file.getParent()));
                Files.write(file, store.get(object.name(), 0, (int) object.sizeBytes()));
            }
            List<String> expected = new ArrayList<>();
            List<CommittedBackup> backups =
                    sample.open(store).source("orders").orElseThrow().backups();
            for (int i = 0; i < backups.size(); i++) {
                expected.addAll(lines(backups.get(i).id().text(), sample.contents().get(i)));
            }
            List<byte[]> log = SampleLog.segments(7, 4, 5);
            for (int i = 0; i < log.size(); i++) {
                expected.add(hash(log.get(i)) + " wal " + SampleLog.segment(4 + i));
            }
            Files.write(folder.resolve("expected.txt"), expected);
        }
        Files.writeString(root.resolve("repository.key"), KeyFiles.print(secret()));
    }
}

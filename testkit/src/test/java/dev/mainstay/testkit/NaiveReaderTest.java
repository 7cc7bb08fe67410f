package dev.mainstay.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/// A reader written from the specification alone reads the golden repositories.
class NaiveReaderTest {
    private static final Path GOLDEN = Path.of("../core/src/test/resources/golden/format-1");

    @ParameterizedTest
    @ValueSource(strings = {"key-file", "passphrase", "open"})
    void theSpecificationIsEnoughToReadARepository(String kind)
            throws IOException, GeneralSecurityException {
        Optional<String> secret =
                switch (kind) {
                    case "key-file" ->
                            Optional.of(Files.readString(GOLDEN.resolve("repository.key")));
                    case "passphrase" -> Optional.of("correct horse battery staple");
                    default -> Optional.empty();
                };
        NaiveReader reader = NaiveReader.open(GOLDEN.resolve(kind).resolve("repository"), secret);
        List<String> read = new ArrayList<>();
        for (String backup : reader.backups("orders")) {
            for (var file : reader.restore("orders", backup).entrySet()) {
                read.add(hash(file.getValue()) + " " + backup + " " + file.getKey());
            }
        }
        String system = Long.toUnsignedString(0x1122334455667788L);
        for (int number = 4; number < 9; number++) {
            String file = "00000001000000000000000" + number;
            read.add(hash(reader.segment(system, "00000001", file)) + " wal " + file);
        }
        assertThat(read)
                .isEqualTo(Files.readAllLines(GOLDEN.resolve(kind).resolve("expected.txt")));
    }

    @Test
    void whatVanishedAfterTheLastRecordIsKnownFromTheSummaries(@TempDir Path copy)
            throws IOException {
        Path whole = GOLDEN.resolve("open/repository");
        try (Stream<Path> files = Files.walk(whole)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path to = copy.resolve(whole.relativize(file).toString());
                Files.createDirectories(Objects.requireNonNull(to.getParent()));
                Files.copy(file, to);
            }
        }
        assertThat(NaiveReader.open(copy, Optional.empty()).vanished("orders")).isEmpty();
        Path newest;
        try (Stream<Path> files = Files.walk(copy.resolve("records"))) {
            newest = files.filter(Files::isRegularFile).max(Path::compareTo).orElseThrow();
        }
        Files.delete(newest);
        assertThat(NaiveReader.open(copy, Optional.empty()).vanished("orders"))
                .containsExactly(copy.relativize(newest).toString());
    }

    private static String hash(byte[] bytes) throws GeneralSecurityException {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }
}

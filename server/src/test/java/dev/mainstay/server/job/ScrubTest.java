package dev.mainstay.server.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.ScrubPosition;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

class ScrubTest {
    private static final int SEGMENT = 1 << 20;

    @TempDir private Path folder;

    private Surroundings surroundings() {
        return new Surroundings(
                new ConfigurationReader(Map.of())
                        .parse(
                                "m.yaml",
                                """
                                repository:
                                  url: file://%s/repository
                                  key: { file: repository.key }
                                verify: { every: 1d }
                                sources:
                                  orders:
                                    postgres: { url: postgresql://h/d }
                                """
                                        .formatted(folder),
                                folder),
                Map.of(),
                Ground.ofThisHost());
    }

    private Map<String, String> scrub() {
        return new EngineWork(surroundings())
                .run(
                        new JobRequest(
                                JobKind.VERIFY, "", Map.of(JobRequest.SHARE, "due"), "schedule"),
                        Progress.none(),
                        Attempt.first());
    }

    @Test
    void readsWhatIsDueAndPutsDownHowFarItCame() throws IOException {
        RepositoryAccess.create(
                        surroundings().configuration().repository(), surroundings().ground())
                .close();
        try (Repository repository = surroundings().open()) {
            for (int number = 1; number <= 3; number++) {
                repository
                        .sourceOrAdd("orders")
                        .wal(SystemId.of(7), 1)
                        .put(
                                new WalSegment(TimelineId.of(1), number, SEGMENT),
                                new byte[SEGMENT]);
            }
        }
        assertThat(scrub().get("contentRead")).matches("(.+) of \\1");
        assertThat(position().written()).isPresent();
        ScrubPosition before = position();

        Path segment = stored().getFirst();
        byte[] bytes = Files.readAllBytes(segment);
        bytes[bytes.length / 2] ^= 1;
        Files.write(segment, bytes);
        ScrubPosition begin =
                new ScrubPosition("", Optional.empty(), before.begun(), before.before());
        try (Repository repository = surroundings().open()) {
            begin.put(repository);
        }
        assertThatThrownBy(this::scrub)
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        failed -> assertThat(failed.code()).isEqualTo(ErrorCode.VERIFY_FAILED));
        assertThat(position().after()).as("read is read, whatever was found").isNotEmpty();
    }

    private ScrubPosition position() {
        try (Repository repository = surroundings().open()) {
            return ScrubPosition.last(repository);
        }
    }

    private List<Path> stored() throws IOException {
        try (Stream<Path> files = Files.walk(folder.resolve("repository/wal"))) {
            return files.filter(file -> WalSegment.isName(file.getFileName().toString()))
                    .sorted()
                    .toList();
        }
    }
}

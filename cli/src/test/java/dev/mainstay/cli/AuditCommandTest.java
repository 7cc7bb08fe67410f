package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.repository.AuditArchive;
import dev.mainstay.repository.AuditEntry;
import dev.mainstay.repository.AuditFacts;
import dev.mainstay.repository.AuditPublication;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.Repository;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// `audit` with nothing but a repository.
class AuditCommandTest {
    private final Console console = new Console();
    @TempDir private Path folder;

    @BeforeEach
    void init() throws IOException {
        Files.writeString(
                folder.resolve("mainstay.yaml"),
                """
                repository:
                  url: file://%1$s/repository
                  key: { file: %1$s/repository.key }
                server:
                  state: { directory: %1$s/state }
                """
                        .formatted(folder));
        assertThat(run("init")).as(console.err()).isZero();
    }

    private int run(String... arguments) {
        return console.run(folder, Map.of(), arguments);
    }

    private Path publish() {
        Ground ground = Ground.ofThisHost();
        try (Repository repository =
                RepositoryAccess.open(
                        new ConfigurationReader(Map.of())
                                .read(folder.resolve("mainstay.yaml"))
                                .repository(),
                        ground)) {
            AuditArchive archive = new AuditArchive(repository);
            String trail = AuditArchive.newTrail(ground);
            String key = archive.newKey(trail);
            AuditPublication begun = archive.begin(trail, key);
            AuditEntry entry =
                    new AuditEntry(
                            trail,
                            1,
                            AuditEntry.NONE,
                            new AuditFacts(
                                    ground.clock().instant(),
                                    "s",
                                    "token 1 (first)",
                                    "10.0.0.1",
                                    "POST /api/v1/jobs",
                                    "orders",
                                    "202",
                                    1));
            archive.publish(begun, key, List.of(entry));
            return folder.resolve("repository/audit").resolve(trail);
        }
    }

    @Test
    void whatIsPublishedIsListedAndProved() {
        assertThat(run("audit", "verify")).as(console.err()).isZero();
        assertThat(console.out()).contains("there is no audit trail");
        Path trail = publish();
        assertThat(run("audit", "list")).as(console.err()).isZero();
        assertThat(console.out()).contains("token 1 (first)", "10.0.0.1", "POST /api/v1/jobs");
        assertThat(run("audit", "list", "--who", "nobody")).isZero();
        assertThat(console.out()).contains("no entries");
        assertThat(run("--output", "json", "audit", "verify")).as(console.err()).isZero();
        assertThat(console.out())
                .contains("\"ok\":true", "\"publishedUpTo\":1", trail.getFileName().toString())
                .contains("publishedAgeSeconds")
                .contains("no server has its state here");
    }

    @Test
    void whatWasRemovedIsTold() throws IOException {
        Path trail = publish();
        Files.delete(trail.resolve("0000000000000000"));
        assertThat(run("audit", "verify")).isEqualTo(1);
        assertThat(console.out() + console.err()).contains("MS-1230", "public key, was removed");
    }
}

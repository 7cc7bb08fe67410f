package dev.mainstay.engine.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.postgres.cluster.ControlFile;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;

/// What is set aside is complete, and comes back as it was, wherever that is interrupted.
class PreviousClusterTest {
    private static final Instant NOON = Instant.parse("2026-11-21T12:00:00Z");

    @TempDir private Path root;
    private Path data = Path.of("");
    private Path space = Path.of("");

    @BeforeEach
    void directories() throws IOException {
        root = root.toRealPath();
        data = root.resolve("data");
        space = root.resolve("space");
    }

    /// A process that ends between two steps.
    private static final class Killed extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    private void cluster(String content) throws IOException {
        Files.createDirectories(data.resolve("global"));
        Files.createDirectories(data.resolve("pg_tblspc"));
        Files.createDirectories(space.resolve("PG_17_1"));
        Files.writeString(data.resolve("PG_VERSION"), "17\n");
        Files.writeString(data.resolve(ControlFile.PATH), content);
        Files.writeString(space.resolve("PG_17_1/1"), content);
        Files.createSymbolicLink(data.resolve("pg_tblspc/16400"), space);
    }

    private PreviousCluster at(int minute) {
        return new PreviousCluster(data, NOON.plusSeconds(60L * minute));
    }

    /// One that ends before so many steps are done.
    private PreviousCluster killed(int minute, int steps) {
        int[] left = {steps};
        return new PreviousCluster(
                data,
                NOON.plusSeconds(60L * minute),
                () -> {
                    if (left[0]-- == 0) {
                        throw new Killed();
                    }
                });
    }

    private Path aside(int minute) {
        return root.resolve("data.previous-20261121T12%02d00000Z".formatted(minute));
    }

    private void holds(Path cluster, String content) throws IOException {
        assertThat(cluster.resolve(ControlFile.PATH)).hasContent(content);
        assertThat(cluster.resolve("pg_tblspc/16400/PG_17_1/1")).hasContent(content);
        assertThat(cluster.resolve(ClusterMove.JOURNAL)).doesNotExist();
    }

    @Test
    void whatIsSetAsideIsCompleteAndComesBack() throws IOException {
        cluster("old");
        assertThat(at(0).keep()).contains(aside(0));
        assertThat(data).doesNotExist();
        assertThat(space).doesNotExist();
        holds(aside(0), "old");
        cluster("new");
        assertThat(at(1).undo())
                .isEqualTo(new PreviousCluster.Undone(aside(0), java.util.Optional.of(aside(1))));
        holds(data, "old");
        holds(aside(1), "new");
        assertThat(at(2).undo().from()).isEqualTo(aside(1)); // and again the other way
        holds(data, "new");
        holds(aside(2), "old");
    }

    @Test
    void killedAnywhereItIsFinishedByDoingItAgain() throws IOException {
        int kept = 0;
        for (int steps = 0; ; steps++) {
            cluster("old");
            try {
                killed(0, steps).keep();
            } catch (Killed point) {
                kept++;
                assertThat(PreviousCluster.isThere(data)).isTrue();
                assertThat(data.resolve(ControlFile.PATH).toFile().exists()).isEqualTo(steps == 0);
            }
            at(1).keep();
            holds(aside(0), "old");
            assertThat(data).doesNotExist();
            empty();
            if (kept <= steps) {
                break;
            }
        }
        assertThat(kept).isEqualTo(7);
    }

    @Test
    void anUndoThatIsKilledAnywhereIsFinishedByDoingItAgain() throws IOException {
        int killed = 0;
        for (int steps = 0; killed == steps; steps++) {
            cluster("old");
            at(0).keep();
            cluster("new");
            try {
                killed(1, steps).undo();
            } catch (Killed point) {
                killed++;
                at(2).undo();
            }
            holds(data, "old");
            Path newest = Files.exists(aside(1)) ? aside(1) : aside(2);
            holds(newest, "new");
            assertThat(aside(0)).doesNotExist();
            empty();
        }
        assertThat(killed).isGreaterThan(12);
    }

    private void empty() throws IOException {
        try (HeldDirectory held = HeldDirectory.open(root)) {
            held.empty("");
        }
    }

    @Test
    void withNothingSetAsideNothingIsUndone() throws IOException {
        cluster("old");
        Map<String, String> before = DeltaSite.picture(root);
        refused("nothing was set aside", () -> at(0).undo());
        assertThat(DeltaSite.picture(root)).isEqualTo(before);
    }

    @Test
    void whatCannotBeRenamedIsRefusedBeforeAnythingIs() throws IOException {
        cluster("old");
        Files.createDirectory(space.resolve("PG_16_1"));
        Map<String, String> before = DeltaSite.picture(root);
        refused("more than this cluster's tablespace", () -> at(0).keep());
        assertThat(DeltaSite.picture(root)).isEqualTo(before);
        Path link = Files.createSymbolicLink(root.resolve("link"), data);
        refused("perhaps a link to one", () -> new PreviousCluster(link, NOON).keep());
        assertThat(data.resolve(ControlFile.PATH)).hasContent("old");
    }

    private static void refused(String text, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        refused -> assertThat(refused.code()).isEqualTo(ErrorCode.RESTORE_PREVIOUS))
                .hasMessageContaining(text);
    }
}

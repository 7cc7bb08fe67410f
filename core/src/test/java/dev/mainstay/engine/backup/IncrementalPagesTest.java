package dev.mainstay.engine.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.postgres.cluster.ClusterFile;
import dev.mainstay.postgres.cluster.RelationFile;
import dev.mainstay.postgres.cluster.StreamedFile;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// What a file is made of of which a server sent some pages, and when that is not believed.
class IncrementalPagesTest {
    private static final BackupDetails.Layout LAYOUT =
            new BackupDetails.Layout(8192, 100, 1 << 20, 8192, true);
    private static final long NEVER = Long.MAX_VALUE;
    private static final int MAGIC = 0xD3AE1F0D;

    private static IncrementalPages read(
            String name, LoggedPages logged, int magic, int truncation, int... sent) {
        ByteBuffer head = ByteBuffer.allocate(8192).order(ByteOrder.LITTLE_ENDIAN);
        head.putInt(magic).putInt(sent.length).putInt(truncation);
        for (int block : sent) {
            head.putInt(block);
        }
        String path = "base/5/" + name;
        ByteArrayInputStream in = new ByteArrayInputStream(head.array());
        return IncrementalPages.read(
                new StreamedFile(
                        path,
                        new ClusterFile.Relation(RelationFile.at(path).orElseThrow()),
                        sent.length == 0 ? 12 : 8192L * (1 + sent.length),
                        0,
                        0600,
                        true),
                (into, offset, length) -> Math.max(0, in.read(into, offset, length)),
                LAYOUT,
                _ -> logged);
    }

    private static LoggedPages log(long limit, int... named) {
        return new LoggedPages(limit, named);
    }

    @Test
    void whatTheLogDoesNotNameIsAsItWas() {
        IncrementalPages pages = read("16384", log(NEVER, 2, 5), MAGIC, 8, 2, 4, 5);
        assertThat(pages.pages()).isEqualTo(8);
        assertThat(pages.next(0, 8)).isEqualTo(2);
        assertThat(pages.next(3, 8)).isEqualTo(4);
        assertThat(pages.next(6, 8)).isEqualTo(8);
        assertThat(pages.count(0, 5)).isEqualTo(2);
        assertThat(pages.comes(4)).isTrue();
        assertThat(pages.comes(3)).isFalse();
    }

    /// A server takes these pages for unchanged: it forgets that the file was shorter meanwhile.
    @Test
    void whatWasTruncatedAndIsNotNamedSinceIsZeros() {
        IncrementalPages pages = read("16384", log(3, 1, 4), MAGIC, 8, 1, 4);
        assertThat(pages.next(0, 8)).isEqualTo(1);
        assertThat(pages.next(2, 8)).isEqualTo(3);
        assertThat(pages.next(5, 8)).isEqualTo(5);
        assertThat(pages.comes(3)).isFalse();
    }

    @Test
    void fromTheServersTruncationOnNothingIsAsItWas() {
        IncrementalPages pages = read("16384", log(NEVER, 9), MAGIC, 4, 9);
        assertThat(pages.pages()).isEqualTo(10);
        assertThat(pages.next(0, 10)).isEqualTo(4);
        assertThat(pages.next(7, 10)).isEqualTo(7);
    }

    @Test
    void whatTheLogNamesBehindTheEndNeedNotCome() {
        assertThat(read("16384", log(NEVER, 2, 8), MAGIC, 8, 2).pages()).isEqualTo(8);
    }

    @Test
    void whatTheLogNamesHasToCome() {
        unfit(
                () -> read("16384", log(NEVER, 2, 5), MAGIC, 8, 2),
                "the server's WAL summaries lack a change: page 5 of base/5/16384, which the WAL"
                        + " names, did not come");
        unfit(() -> read("16384", log(4, 6), MAGIC, 8), "page 6 of base/5/16384");
    }

    @Test
    void whatIsNewComesWhole() {
        unfit(
                () -> read("16384.1", log(0, 1), MAGIC, 8, 1),
                "the server takes base/5/16384.1 for an old file with changes");
        unfit(
                () -> read("16384_vm", log(NEVER), MAGIC, 8, 1),
                "the server sent base/5/INCREMENTAL.16384_vm, which was to come whole");
    }

    @Test
    void nonsenseIsNotBelieved() {
        unfit(
                () -> read("16384", log(NEVER), MAGIC + 1, 8, 1),
                "the server sent base/5/INCREMENTAL.16384 as no server does");
    }

    private static void unfit(Runnable reading, String reason) {
        assertThatThrownBy(reading::run)
                .isInstanceOfSatisfying(
                        NotIncremental.class, unfit -> assertThat(unfit.reason()).contains(reason));
    }
}

package dev.mainstay.engine.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Random;

/// What is in a spool is kept until it is stored, whatever becomes of the stream.
class SpoolTest {
    private static final int MIB = 1 << 20;
    private static final WalSegment FIRST = new WalSegment(TimelineId.of(1), 16, MIB);

    @TempDir private Path folder;

    private static byte[] content(int bytes) {
        byte[] content = new byte[bytes];
        new Random(7).nextBytes(content);
        return content;
    }

    private static void append(Spool spool, WalSegment segment, byte[] content) {
        spool.append(segment, 0, ByteBuffer.wrap(content));
        spool.sync();
    }

    @Test
    void oneProcessUsesItAtATime() {
        try (Spool _ = Spool.open(folder, MIB)) {
            assertThatThrownBy(() -> Spool.open(folder, MIB))
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            refused ->
                                    assertThat(refused.code())
                                            .isEqualTo(ErrorCode.WAL_RECEIVER_RUNS));
        }
        Spool.open(folder, MIB).close();
    }

    @Test
    void whatIsStoredOfTheUnfinishedSegmentDoesNotWait() {
        try (Spool spool = Spool.open(folder, MIB)) {
            append(spool, FIRST, content(5000));
            assertThat(spool.waitingBytes(Lsn.NONE)).isEqualTo(5000);
            assertThat(spool.waitingBytes(FIRST.start())).isEqualTo(5000);
            assertThat(spool.waitingBytes(FIRST.start().plus(4000))).isEqualTo(1000);
            assertThat(spool.waitingBytes(FIRST.start().plus(5000))).isZero();
            assertThat(spool.waitingBytes(FIRST.end())).isZero();
            spool.append(FIRST, 5000, ByteBuffer.wrap(content(MIB - 5000)));
            spool.sync();
            assertThat(spool.finished()).containsExactly(FIRST);
            assertThat(spool.waitingBytes(FIRST.start().plus(5000))).isEqualTo(MIB);
        }
    }

    @Test
    void aSegmentThatWillNotGoOnIsKeptWithAllThatWasReceivedOfIt() throws Exception {
        byte[] received = content(5000);
        try (Spool spool = Spool.open(folder, MIB)) {
            append(spool, FIRST, received);
            // Rubbish behind it, as after a crash of the host.
            Path file = folder.resolve(FIRST.fileName() + ".unfinished");
            Files.write(file, content(9000));
            spool.leave(Optional.of(FIRST));
            assertThat(spool.left()).as("the stream goes on with it").isEmpty();
            spool.leave(Optional.of(FIRST.onTimeline(TimelineId.of(2))));
            assertThat(spool.left()).containsExactly(FIRST);
            assertThat(spool.unfinished()).isEmpty();
            assertThat(spool.readLeft(FIRST)).isEqualTo(received);
            append(spool, FIRST.onTimeline(TimelineId.of(2)), content(100));
            spool.removeLeft(FIRST);
            assertThat(spool.left()).isEmpty();
            assertThat(spool.unfinished()).containsExactly(FIRST.onTimeline(TimelineId.of(2)));
        }
    }

    @Test
    void segmentsThatTheStreamComesToAreNotLeft() {
        try (Spool spool = Spool.open(folder, MIB)) {
            append(spool, FIRST.next(), content(5000));
            spool.abandon();
            spool.leave(Optional.of(FIRST));
            assertThat(spool.unfinished()).containsExactly(FIRST.next());
            spool.leave(Optional.of(FIRST.next().next()));
            assertThat(spool.unfinished()).isEmpty();
            assertThat(spool.left()).containsExactly(FIRST.next());
        }
    }

    @Test
    void historyFilesWaitLikeSegments() {
        try (Spool spool = Spool.open(folder, MIB)) {
            spool.keepHistory("00000002.history", content(40));
            append(spool, FIRST, content(MIB));
            assertThat(spool.histories()).containsExactly("00000002.history");
            assertThat(spool.finished()).containsExactly(FIRST);
            assertThat(spool.readHistory("00000002.history")).isEqualTo(content(40));
            assertThat(spool.bytes()).isEqualTo(MIB + 40);
            spool.removeHistory("00000002.history");
            assertThat(spool.histories()).isEmpty();
        }
    }
}

package dev.mainstay.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.repository.WalArchive.Stored;
import dev.mainstay.repository.format.Digest128;
import dev.mainstay.repository.format.FrameCoder;
import dev.mainstay.repository.format.FrameKind;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.repository.format.SealedObject;
import dev.mainstay.storage.memory.MemoryStore;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/// What is stored under a name comes back as it was, once, and nothing else passes for it.
class WalArchiveTest {
    private static final int MIB = 1 << 20;
    private static final WalSegment SEGMENT = new WalSegment(TimelineId.of(1), 7, MIB);
    private static final SystemId SYSTEM = SystemId.of(7_300_000_000_000_000_001L);

    private final MemoryStore store = MemoryStore.create();
    private final WalArchive archive =
            Repository.create(
                            store,
                            Optional.empty(),
                            new Ground(() -> Instant.parse("2026-11-21T07:00:00Z"), new Random(1)))
                    .sourceOrAdd("orders")
                    .wal(SYSTEM, 1);

    private static byte[] content(int length, long seed) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        Arrays.fill(bytes, length / 3, length / 2, (byte) 0);
        return bytes;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, (1 << 19) - 1, 1 << 19, (1 << 19) + 1, 3 * MIB + 5})
    void aFileComesBack(int length) {
        byte[] content = content(length, length);
        assertThat(archive.putFile("00000002.history", content)).isEqualTo(Stored.NEW);
        assertThat(archive.getFile("00000002.history")).hasValue(content);
        assertThat(archive.putFile("00000002.history", content))
                .isEqualTo(Stored.SAME_CONTENT_BEFORE);
    }

    @Test
    void aNameIsTakenByItsContent() {
        byte[] content = content(MIB, 1);
        byte[] other = content.clone();
        other[MIB - 1] ^= 1;
        assertThat(archive.put(SEGMENT, content)).isEqualTo(Stored.NEW);
        assertThat(archive.put(SEGMENT, content)).isEqualTo(Stored.SAME_CONTENT_BEFORE);
        refused(ErrorCode.WAL_CONFLICT, () -> archive.put(SEGMENT, other));
        assertThat(archive.get(SEGMENT)).hasValue(content);
        archive.putFile("00000002.history", content);
        refused(
                ErrorCode.WAL_CONFLICT,
                () -> archive.putFile("00000002.history", Arrays.copyOf(content, MIB - 1)));
        archive.putPart(SEGMENT, 0, content);
        archive.putPart(SEGMENT, 0, content);
        refused(ErrorCode.WAL_CONFLICT, () -> archive.putPart(SEGMENT, 0, other));
        assertThat(archive.parts(SEGMENT)).isEqualTo(content);
    }

    private static void refused(ErrorCode code, ThrowingCallable what) {
        assertThatThrownBy(what)
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        failed -> assertThat(failed.code()).isEqualTo(code));
    }

    /// A frame to write.
    private record Written(FrameKind kind, byte[] payload) {}

    private void write(List<Written> frames) {
        store.delete(archive.objectName(SEGMENT));
        try (FrameCoder coder = new FrameCoder(1)) {
            Vault vault = archive.source().vault();
            SealedObject.Writer writer =
                    new SealedObject.Writer(coder, vault.newSeal(ObjectType.WAL_SEGMENT));
            for (Written frame : frames) {
                writer.add(frame.kind, new byte[0], frame.payload, 0, frame.payload.length);
            }
            vault.put(archive.objectName(SEGMENT), writer.end());
        }
    }

    private static Written facts(int length) {
        return new Written(
                FrameKind.BODY,
                Json.object()
                        .put("name", SEGMENT.fileName())
                        .put("system", SYSTEM.toString())
                        .put("length", length)
                        .toBytes());
    }

    private static Written digest(byte[]... pieces) {
        Digest128.OfPieces digest = new Digest128.OfPieces();
        for (byte[] piece : pieces) {
            digest.add(piece, 0, piece.length);
        }
        return new Written(
                FrameKind.BODY, Json.object().put("digest", digest.value().toString()).toBytes());
    }

    @Test
    void onlyWhatIsWholeAndAsItsDigestSaysIsGiven() {
        byte[] one = content(MIB / 2, 1);
        byte[] two = content(MIB / 2, 2);
        byte[] whole = Arrays.copyOf(one, MIB);
        System.arraycopy(two, 0, whole, MIB / 2, MIB / 2);
        Written first = new Written(FrameKind.DATA, one);
        Written second = new Written(FrameKind.DATA, two);
        write(List.of(facts(MIB), first, second, digest(one, two)));
        assertThat(archive.get(SEGMENT).orElseThrow()).startsWith(one).endsWith(two);
        for (List<Written> wrong :
                List.of(
                        List.of(facts(MIB), first, second),
                        List.of(facts(MIB), first, second, digest(two, one)),
                        List.of(facts(MIB), second, first, digest(one, two)),
                        List.of(facts(MIB), first, digest(one)),
                        List.of(facts(MIB / 2), first, second, digest(one, two)),
                        List.of(facts(MIB), first, digest(one), second, digest(one, two)),
                        List.of(facts(MIB), first, second, digest(one, two), digest(one, two)),
                        List.of(
                                facts(MIB),
                                first,
                                new Written(FrameKind.CHUNK, two),
                                digest(one, two)),
                        List.of(facts(MIB)))) {
            write(wrong);
            refused(ErrorCode.OBJECT_DAMAGED, () -> archive.get(SEGMENT));
            // Who brings it again must not be told that it is stored.
            refused(ErrorCode.OBJECT_DAMAGED, () -> archive.put(SEGMENT, whole));
        }
    }
}

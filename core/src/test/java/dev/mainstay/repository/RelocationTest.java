package dev.mainstay.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.format.Bytes;
import dev.mainstay.repository.format.ChunkId;
import dev.mainstay.repository.format.Digest128;
import dev.mainstay.repository.format.Frame;
import dev.mainstay.repository.format.FrameCoder;
import dev.mainstay.repository.format.FrameKind;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.ChunkRef;
import dev.mainstay.repository.format.ManifestEntry.Content;
import dev.mainstay.repository.format.ObjectHeader;
import dev.mainstay.repository.format.ObjectSeal;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.repository.format.PackClass;
import dev.mainstay.repository.format.PackId;
import dev.mainstay.repository.format.PageList;
import dev.mainstay.repository.format.SealedObject;
import dev.mainstay.repository.format.SegmentMap;
import dev.mainstay.repository.format.WireWriter;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.memory.MemoryStore;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/// Frames of packs that are gone are found through `moved/` objects, and nothing else is ever taken
/// for them, whatever those say.
class RelocationTest {
    private static final int BLOCK = 8192;

    private final ObjectStore store = MemoryStore.create();
    private final ProtectedSource source =
            Repository.create(
                            store,
                            Optional.of(new Credential.KeyFile(new byte[32])),
                            new Ground(() -> Instant.parse("2026-11-21T04:15:00Z"), new Random(1)))
                    .sourceOrAdd("orders");
    private final byte[] pages = new byte[BLOCK * 3];
    private final byte[] file = new byte[5000];
    private SegmentMap.MappedFrame mapped =
            new SegmentMap.MappedFrame(ref(), 0, Digest128.of(file, 0, 0));
    private ChunkRef chunk = new ChunkRef(new ChunkId(new byte[32]), 0, ref());
    private FrameRef manifest = ref();
    private int moves;

    private static FrameRef ref() {
        return new FrameRef(PackClass.BASE, new PackId(new byte[32]), 0, 0, 0);
    }

    @BeforeEach
    void aBackupOfOneRelationAndOneFile() throws IOException {
        new Random(2).nextBytes(pages);
        new Random(3).nextBytes(file);
        try (BackupWriter writer = source.newBackup(BackupOptions.full(1))) {
            writer.blockSize(BLOCK);
            try (BackupWriter.Worker worker = writer.worker(BLOCK)) {
                worker.pagedFile(
                        new FileFacts("base/5/1", 0600, "", "", 1),
                        3,
                        (first, count, into) -> {
                            System.arraycopy(pages, first * BLOCK, into, 0, count * BLOCK);
                            return count;
                        });
            }
            writer.file(
                    new FileFacts("PG_VERSION", 0600, "", "", 1), new ByteArrayInputStream(file));
            CommittedBackup backup = writer.commit(Json.object());
            manifest = backup.manifest().getFirst();
            try (BackupReader reader = source.read(backup)) {
                List<ManifestEntry> entries = new ArrayList<>();
                reader.entries(entries::add);
                for (ManifestEntry entry : entries) {
                    switch (entry.content()) {
                        case Content.Paged paged -> mapped = reader.map(paged).frames().getFirst();
                        case Content.Chunked chunked -> chunk = chunked.chunks().getFirst();
                        case Content.Directory _, Content.Link _ -> {}
                    }
                }
            }
        }
    }

    private static Json place(int from, FrameRef to) {
        return Json.object()
                .put("from", from)
                .put("class", to.packClass().folder())
                .put("pack", to.pack().hex())
                .put("number", to.number())
                .put("offset", to.offset())
                .put("length", to.length());
    }

    private void move(FrameRef from, FrameRef to) {
        byte[] body =
                source.vault()
                        .sealJson(
                                ObjectType.MOVED,
                                Json.object().put("frames", List.of(place(from.number(), to))));
        store.put(Names.moved(from.pack()) + moves++, ByteBuffer.wrap(body));
    }

    private void remove(FrameRef ref) {
        store.delete(Names.pack(ref.packClass(), ref.pack()));
    }

    /// Seals a frame into a new pack, as docs/format.md section 6 has it: like another object up to
    /// the directory, then the trailer instead of the hash.
    private FrameRef write(FrameRef like, FrameKind kind, byte[] meta, byte[] payload) {
        int at = ObjectHeader.SIZE;
        SealedObject.Part part = new SealedObject.Part(kind, meta, payload);
        try (FrameCoder coder = new FrameCoder(1)) {
            int length = 4 + Bytes.getInt(SealedObject.write(coder, newSeal(), List.of(part)), at);
            byte[] entry =
                    new WireWriter(64).u8(kind.number()).varint(length).bytes(meta).toBytes();
            SealedObject.Part directory =
                    new SealedObject.Part(FrameKind.DIRECTORY, new byte[0], entry);
            byte[] object = SealedObject.write(coder, newSeal(), List.of(part, directory));
            int end = object.length - 32;
            WireWriter out = new WireWriter(end + 16);
            out.raw(object, 0, end).u64(at + length).u32(end - at - length).u32(1);
            byte[] pack = out.toBytes();
            PackId id = new PackId(Bytes.sha256(pack, 0, pack.length));
            store.put(Names.pack(like.packClass(), id), ByteBuffer.wrap(pack));
            return new FrameRef(like.packClass(), id, 0, at, length);
        }
    }

    private ObjectSeal newSeal() {
        return source.vault().newSeal(ObjectType.PACK);
    }

    private FrameRef writePages(byte[] content) {
        byte[] meta = new PageList("base/5/1", BLOCK, new int[] {0, 1, 2}).toBytes();
        return write(mapped.ref(), FrameKind.PAGES, meta, content);
    }

    private byte[] readPages() {
        List<byte[]> read = new ArrayList<>();
        try (PackReader reader = new PackReader(source)) {
            reader.readAll(
                    List.of(mapped.ref()),
                    (_, frame) -> isMeant(frame),
                    (_, frame) -> read.add(frame.toBytes()));
            assertThat(reader.read(mapped.ref(), (_, frame) -> isMeant(frame)).toBytes())
                    .isEqualTo(read.getFirst());
        }
        return read.getFirst();
    }

    private boolean isMeant(Frame frame) {
        return Digest128.of(frame.payload(), 0, frame.length()).equals(mapped.digest());
    }

    private byte[] readChunk() {
        try (PackReader reader = new PackReader(source)) {
            return reader.read(
                            chunk.frame(),
                            (_, frame) -> Arrays.equals(frame.meta(), chunk.id().bytes()))
                    .toBytes();
        }
    }

    private static void assertRefused(ThrowingCallable read, ErrorCode code) {
        assertThatThrownBy(read)
                .isInstanceOf(MainstayException.class)
                .extracting("code")
                .isEqualTo(code);
    }

    @Test
    void aFrameIsFoundWhereItMovedAndMovedAgain() {
        FrameRef first = writePages(pages);
        FrameRef second = writePages(pages);
        FrameRef chunkPlace = write(chunk.frame(), FrameKind.CHUNK, chunk.id().bytes(), file);
        remove(mapped.ref());
        remove(chunk.frame());
        assertRefused(this::readPages, ErrorCode.STORE_OBJECT_MISSING);
        move(mapped.ref(), first);
        move(chunk.frame(), chunkPlace);
        assertThat(readPages()).isEqualTo(pages);
        assertThat(readChunk()).isEqualTo(file);
        remove(first);
        assertRefused(this::readPages, ErrorCode.STORE_OBJECT_MISSING);
        move(first, second);
        assertThat(readPages()).isEqualTo(pages);
        assertThat(
                        new RepositoryCheck(
                                        source.repository(),
                                        RepositoryCheck.Options.everything(),
                                        _ -> {})
                                .run()
                                .defects())
                .isEmpty();
    }

    @Test
    void aForgedMoveOfPagesIsRefusedAndARightOneBesideItServes() {
        byte[] others = pages.clone();
        others[5]++;
        remove(mapped.ref());
        move(mapped.ref(), writePages(others));
        assertRefused(this::readPages, ErrorCode.OBJECT_DAMAGED);
        assertThat(
                        new RepositoryCheck(
                                        source.repository(),
                                        RepositoryCheck.Options.everything(),
                                        _ -> {})
                                .run()
                                .defects())
                .singleElement()
                .satisfies(
                        defect -> assertThat(defect.object()).contains(mapped.ref().pack().hex()));
        move(mapped.ref(), chunk.frame());
        move(mapped.ref(), writePages(pages));
        assertThat(readPages()).isEqualTo(pages);
    }

    @Test
    void aForgedMoveOfAChunkIsRefusedThoughItsFrameClaimsTheId() {
        byte[] others = file.clone();
        others[7]++;
        remove(chunk.frame());
        move(chunk.frame(), write(chunk.frame(), FrameKind.CHUNK, chunk.id().bytes(), others));
        assertRefused(this::readChunk, ErrorCode.OBJECT_DAMAGED);
    }

    @Test
    void aManifestIsTakenFromItsOwnPackOnly() {
        FrameRef elsewhere = write(manifest, FrameKind.MANIFEST, new byte[0], new byte[0]);
        remove(manifest);
        move(manifest, elsewhere);
        assertRefused(
                () -> {
                    try (BackupReader reader = source.read(source.backups().getFirst())) {
                        reader.entries(_ -> {});
                    }
                },
                ErrorCode.STORE_OBJECT_MISSING);
    }

    @Test
    void movesInACircleEnd() {
        FrameRef other = writePages(pages);
        remove(other);
        remove(mapped.ref());
        move(mapped.ref(), other);
        move(other, mapped.ref());
        assertRefused(this::readPages, ErrorCode.STORE_OBJECT_MISSING);
    }

    @Test
    void aDamagedMoveDoesNotHideAWholeOne() {
        FrameRef place = writePages(pages);
        remove(mapped.ref());
        store.put(Names.moved(mapped.ref().pack()) + "damaged", ByteBuffer.wrap(new byte[200]));
        assertRefused(this::readPages, ErrorCode.REPOSITORY_FOREIGN);
        move(mapped.ref(), place);
        assertThat(readPages()).isEqualTo(pages);
    }
}

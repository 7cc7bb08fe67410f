package dev.mainstay.engine.archive;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.storage.ForwardingStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.memory.MemoryStore;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// An encrypted repository whose store does to a call what the test says, and a `pg_wal`.
final class LaneSite {
    static final int MIB = 1 << 20;
    static final SystemId SYSTEM = SystemId.of(7_300_000_000_000_000_001L);

    final HookedStore store = new HookedStore();
    final ConcurrentLinkedQueue<String> notes = new ConcurrentLinkedQueue<>();
    final Path wal;
    final ProtectedSource source;
    final WalArchive archive;

    LaneSite(Path folder) throws IOException {
        wal = Files.createDirectories(folder.resolve("pg_wal"));
        Files.createDirectory(wal.resolve("archive_status"));
        Ground ground = new Ground(() -> Instant.parse("2026-11-21T07:00:00Z"), new Random(1));
        source =
                Repository.create(store, Optional.of(new Credential.KeyFile(new byte[32])), ground)
                        .sourceOrAdd("orders");
        archive = source.wal(SYSTEM, 1);
    }

    static WalSegment segment(int timeline, long number) {
        return new WalSegment(TimelineId.of(timeline), number, MIB);
    }

    static WalSegment segment(long number) {
        return segment(1, number);
    }

    /// What PostgreSQL would write, as far as anybody looks at it here.
    static byte[] content(WalSegment segment) {
        byte[] bytes = new byte[MIB];
        new Random(segment.number() * 31 + segment.timeline().value()).nextBytes(bytes);
        Arrays.fill(bytes, MIB / 4, MIB, (byte) 0);
        ByteBuffer.wrap(bytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putShort((short) 0xD110)
                .putShort((short) 2)
                .putInt(segment.timeline().value())
                .putLong(segment.start().value())
                .putLong(0)
                .putLong(Long.parseUnsignedLong(SYSTEM.toString()))
                .putInt(MIB)
                .putInt(8192);
        return bytes;
    }

    void store(long from, long to) {
        for (long number = from; number <= to; number++) {
            archive.put(segment(number), content(segment(number)));
        }
    }

    /// Puts a segment into `pg_wal` that the archiver has not done yet.
    Path ready(WalSegment segment) throws IOException {
        Path file = Files.write(wal.resolve(segment.fileName()), content(segment));
        Files.createFile(wal.resolve("archive_status/" + segment.fileName() + ".ready"));
        return file;
    }

    WalGet get() {
        return new WalGet(source, SYSTEM, MIB, false);
    }

    WalPush push() {
        return new WalPush(source, 1);
    }

    /// Names in `pg_wal` and in what is ahead.
    List<String> ahead() throws IOException {
        Path folder = wal.resolve(FetchLane.FOLDER);
        if (!Files.exists(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> String.valueOf(file.getFileName())).sorted().toList();
        }
    }

    static MainstayException away() {
        return new MainstayException(ErrorCode.STORE_UNAVAILABLE, "the store is away");
    }

    /// A store in memory that tells of each get and put before it does it.
    static final class HookedStore extends ForwardingStore {
        volatile Consumer<String> beforeGet = _ -> {};
        volatile Consumer<String> beforePut = _ -> {};

        /// Gets of segments, in order.
        final List<String> gets = java.util.Collections.synchronizedList(new ArrayList<>());

        HookedStore() {
            super(MemoryStore.create());
        }

        @Override
        public PutOutcome put(String name, ByteBuffer... content) {
            beforePut.accept(name);
            return inner.put(name, content);
        }

        @Override
        public byte[] get(String name, long offset, int length) {
            gets.add(name);
            beforeGet.accept(name);
            return inner.get(name, offset, length);
        }
    }
}

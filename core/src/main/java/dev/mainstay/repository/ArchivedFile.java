package dev.mainstay.repository;

import dev.mainstay.base.SystemId;
import dev.mainstay.repository.format.Digest128;
import dev.mainstay.repository.format.Frame;
import dev.mainstay.repository.format.FrameCoder;
import dev.mainstay.repository.format.FrameKind;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectSeal;
import dev.mainstay.repository.format.SealedObject;

import java.nio.ByteBuffer;
import java.util.Arrays;

/// An object of a WAL archive that holds a file, while it is read (docs/format.md section 11): its
/// first frame says what it is, the last one the digest of what is between, which is the file. Each
/// piece is digested and passed on while it is in the processor's cache.
final class ArchivedFile<E extends Exception> implements SealedObject.Frames<E> {
    private final String name;
    private final String fileName;
    private final SystemId system;
    private final WalArchive.Sink<E> sink;
    private final Digest128.OfPieces digest = new Digest128.OfPieces();
    private long missing;
    private boolean ended;

    /// @param name of the object
    /// @param fileName that it must hold
    ArchivedFile(String name, String fileName, SystemId system, WalArchive.Sink<E> sink) {
        this.name = name;
        this.fileName = fileName;
        this.system = system;
        this.sink = sink;
    }

    @Override
    public void accept(int number, Frame frame) throws E {
        if (number == 0) {
            Json facts = Json.parse(name, frame.toBytes());
            missing = facts.number("length");
            if (!facts.string("name").equals(fileName)
                    || !facts.string("system").equals(system.toString())
                    || missing < 0
                    || missing > WalArchive.MAX_SEGMENT) {
                throw WalArchive.damaged(name);
            }
            sink.begin((int) missing);
            return;
        }
        if (!ended && frame.kind() == FrameKind.BODY) {
            ended =
                    Json.parse(name, frame.toBytes())
                            .string("digest")
                            .equals(digest.value().toString());
            return;
        }
        if (ended || frame.kind() != FrameKind.DATA || frame.length() > missing) {
            throw WalArchive.damaged(name);
        }
        missing -= frame.length();
        digest.add(frame.payload(), 0, frame.length());
        sink.accept(frame.payload(), 0, frame.length());
    }

    /// Demands that all of it came, and is what was stored.
    void end() {
        if (missing != 0 || !ended) {
            throw WalArchive.damaged(name);
        }
    }

    /// Makes such an object, a piece at a time: what is added is compressed and sealed before more
    /// of it is there.
    static final class Writer implements AutoCloseable {
        private static final byte[] NONE = new byte[0];

        private final FrameCoder coder;
        private final SealedObject.Writer frames;
        private final Digest128.OfPieces digest = new Digest128.OfPieces();

        /// What WAL often becomes of its size; more is made room for.
        private static final int USUAL_RATIO = 10;

        /// @param facts name, system and length
        Writer(ObjectSeal seal, int compressionLevel, Json facts) {
            coder = new FrameCoder(compressionLevel);
            frames =
                    new SealedObject.Writer(
                            coder, seal, (int) (facts.number("length") / USUAL_RATIO));
            body(facts);
        }

        private void body(Json facts) {
            byte[] bytes = facts.toBytes();
            frames.add(FrameKind.BODY, NONE, bytes, 0, bytes.length);
        }

        /// Adds the next piece, which becomes a frame.
        ///
        /// @return its digest
        Digest128 add(byte[] content, int offset, int length) {
            frames.add(FrameKind.DATA, NONE, content, offset, length);
            return digest.add(content, offset, length);
        }

        /// Adds all from a position on.
        void addAll(byte[] content, int offset) {
            for (int at = offset; at < content.length; at += SegmentAhead.FRAME) {
                add(content, at, Math.min(SegmentAhead.FRAME, content.length - at));
            }
        }

        /// The whole object.
        ByteBuffer end() {
            body(Json.object().put("digest", digest.value().toString()));
            return frames.end();
        }

        @Override
        public void close() {
            coder.close();
        }
    }

    /// Keeps a file in memory.
    static final class InMemory implements WalArchive.Sink<RuntimeException> {
        private byte[] content = new byte[0];
        private int length;

        @Override
        public void begin(int lengthBytes) {
            content = new byte[lengthBytes];
        }

        @Override
        public void accept(byte[] bytes, int offset, int length) {
            System.arraycopy(bytes, offset, content, this.length, length);
            this.length += length;
        }

        /// To be called once all of it came.
        byte[] bytes() {
            return length == content.length ? content : Arrays.copyOf(content, length);
        }
    }

    /// Compares a file with what should be in it.
    static final class Same implements WalArchive.Sink<RuntimeException> {
        private final byte[] wanted;
        private int length;
        private boolean same;

        Same(byte[] wanted) {
            this.wanted = wanted;
        }

        @Override
        public void begin(int lengthBytes) {
            same = lengthBytes == wanted.length;
        }

        @Override
        public void accept(byte[] bytes, int offset, int length) {
            same =
                    same
                            && Arrays.equals(
                                    wanted,
                                    this.length,
                                    this.length + length,
                                    bytes,
                                    offset,
                                    offset + length);
            this.length += length;
        }

        boolean isSame() {
            return same && length == wanted.length;
        }
    }
}

package dev.mainstay.repository;

import dev.mainstay.base.WalSegment;
import dev.mainstay.repository.format.Digest128;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A WAL segment that is compressed and sealed while it still arrives, so that little is left to do
/// once it is whole. One thread's.
public final class SegmentAhead implements AutoCloseable {
    /// What is kept in one frame of a segment, in bytes.
    static final int FRAME = 1 << 19;

    private final WalSegment segment;
    private final ArchivedFile.Writer writer;
    private final List<Digest128> pieces = new ArrayList<>();

    SegmentAhead(WalSegment segment, ArchivedFile.Writer writer) {
        this.segment = segment;
        this.writer = writer;
    }

    public WalSegment segment() {
        return segment;
    }

    /// How much of the segment was taken from its start on, in bytes.
    public int takenBytes() {
        return pieces.size() * FRAME;
    }

    /// Whether so much more is here that some of it would be taken.
    ///
    /// @param bytes that are known of the segment, from its start on
    public boolean wants(int bytes) {
        return bytes - takenBytes() >= FRAME;
    }

    /// Takes whole frames of what follows; the rest waits until more is here.
    ///
    /// @param content from the segment's byte [#takenBytes()] on
    public void add(byte[] content) {
        for (int at = 0; at + FRAME <= content.length; at += FRAME) {
            pieces.add(writer.add(content, at, FRAME));
        }
    }

    /// The sealed segment; empty if something else was taken than is in it now.
    ///
    /// @param content all of it
    Optional<ByteBuffer> end(byte[] content) {
        for (int i = 0; i < pieces.size(); i++) {
            if (!pieces.get(i).equals(Digest128.of(content, i * FRAME, FRAME))) {
                return Optional.empty();
            }
        }
        writer.addAll(content, takenBytes());
        return Optional.of(writer.end());
    }

    @Override
    public void close() {
        writer.close();
    }
}

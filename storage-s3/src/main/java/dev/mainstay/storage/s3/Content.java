package dev.mainstay.storage.s3;

import dev.mainstay.storage.ObjectStore;

import software.amazon.awssdk.core.sync.RequestBody;

import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.zip.CRC32C;

/// Bytes that are put, read from the caller's buffers as often as somebody wants to see them: to
/// sum them up, to sign them, to send them. Nothing is copied but what is on its way.
final class Content {
    private final ByteBuffer[] parts;

    Content(ByteBuffer... parts) {
        this.parts = parts;
    }

    RequestBody body() {
        return RequestBody.fromContentProvider(
                () -> new Reading(parts),
                ObjectStore.length(parts),
                "application/octet-stream");
    }

    /// As S3 writes it. The server compares before it answers.
    String crc32c() {
        CRC32C sum = new CRC32C();
        for (ByteBuffer part : parts) {
            sum.update(part.duplicate());
        }
        byte[] bytes = ByteBuffer.allocate(Integer.BYTES).putInt((int) sum.getValue()).array();
        return Base64.getEncoder().encodeToString(bytes);
    }

    /// From the first byte to the last; may return to a mark, as often as wanted.
    private static final class Reading extends InputStream {
        private final ByteBuffer[] rest;
        private int at;
        private ByteBuffer[] marked;
        private int markedAt;

        Reading(ByteBuffer... parts) {
            this.rest = duplicates(parts);
            this.marked = duplicates(parts);
        }

        private static ByteBuffer[] duplicates(ByteBuffer... parts) {
            ByteBuffer[] copies = new ByteBuffer[parts.length];
            for (int i = 0; i < parts.length; i++) {
                copies[i] = parts[i].duplicate();
            }
            return copies;
        }

        private boolean atEnd() {
            while (at < rest.length && !rest[at].hasRemaining()) {
                at++;
            }
            return at == rest.length;
        }

        @Override
        public int read() {
            return atEnd() ? -1 : rest[at].get() & 0xff;
        }

        @Override
        public int read(byte[] target, int offset, int length) {
            if (length == 0) {
                return 0;
            }
            if (atEnd()) {
                return -1;
            }
            int count = Math.min(length, rest[at].remaining());
            rest[at].get(target, offset, count);
            return count;
        }

        @Override
        public int available() {
            return (int) Math.min(Integer.MAX_VALUE, ObjectStore.length(rest));
        }

        @Override
        public boolean markSupported() {
            return true;
        }

        @Override
        public void mark(int limit) {
            marked = duplicates(rest);
            markedAt = at;
        }

        @Override
        public void reset() {
            ByteBuffer[] again = duplicates(marked);
            System.arraycopy(again, 0, rest, 0, rest.length);
            at = markedAt;
        }
    }
}

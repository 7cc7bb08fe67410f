package dev.mainstay.storage.gcs;

import com.google.api.client.http.AbstractInputStreamContent;

import dev.mainstay.storage.ObjectStore;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.zip.CRC32C;

/// Bytes that are put, read from the caller's buffers as often as somebody wants to see them.
final class Media extends AbstractInputStreamContent {
    private final ByteBuffer[] parts;

    Media(ByteBuffer... content) {
        super("application/octet-stream");
        this.parts = new ByteBuffer[content.length];
        for (int i = 0; i < content.length; i++) {
            parts[i] = content[i].duplicate();
        }
    }

    @Override
    public long getLength() {
        return ObjectStore.length(parts);
    }

    @Override
    public boolean retrySupported() {
        return true;
    }

    /// As Google writes it. The server compares before it answers.
    String crc32c() {
        CRC32C sum = new CRC32C();
        for (ByteBuffer part : parts) {
            sum.update(part.duplicate());
        }
        byte[] bytes = ByteBuffer.allocate(Integer.BYTES).putInt((int) sum.getValue()).array();
        return Base64.getEncoder().encodeToString(bytes);
    }

    @Override
    public InputStream getInputStream() {
        return parts.length == 0 ? new ByteArrayInputStream(new byte[0]) : new Reading(parts);
    }

    /// From the first byte to the last.
    private static final class Reading extends InputStream {
        private final ByteBuffer[] rest;
        private int at;

        Reading(ByteBuffer... parts) {
            rest = new ByteBuffer[parts.length];
            for (int i = 0; i < parts.length; i++) {
                rest[i] = parts[i].duplicate();
            }
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
    }
}

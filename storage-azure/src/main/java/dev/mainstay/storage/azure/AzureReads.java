package dev.mainstay.storage.azure;

import com.azure.core.util.Context;
import com.azure.storage.blob.BlobContainerClient;
import com.azure.storage.blob.models.BlobDownloadResponse;
import com.azure.storage.blob.models.BlobRange;
import com.azure.storage.blob.models.BlobStorageException;
import com.azure.storage.blob.models.DownloadRetryOptions;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.remote.AzurePlace;
import dev.mainstay.storage.remote.BrokenConnection;
import dev.mainstay.storage.remote.ByteRanges;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Optional;

/// Ranges and sizes of objects.
final class AzureReads {
    private final BlobContainerClient container;
    private final AzurePlace place;
    private final Failures failures;

    AzureReads(BlobContainerClient container, AzurePlace place, Failures failures) {
        this.container = container;
        this.place = place;
        this.failures = failures;
    }

    /// @param length more than 0
    byte[] range(String name, String key, long offset, int length) {
        String what = "cannot read '" + name + "'";
        return failures.asked(
                what,
                () -> {
                    try {
                        Received body = new Received(length);
                        BlobDownloadResponse answer =
                                download(key, new BlobRange(offset, (long) length), body);
                        String told = answer.getDeserializedHeaders().getContentRange();
                        return whole(name, body, Optional.ofNullable(told), offset, length);
                    } catch (BlobStorageException answered) {
                        if (answered.getStatusCode() == 416) {
                            throw ByteRanges.tooShort(name, Optional.empty(), offset, length);
                        }
                        if (Failures.isNoBlob(answered)) {
                            throw ByteRanges.missing(name, answered);
                        }
                        throw failures.translate(what, answered);
                    }
                });
    }

    private BlobDownloadResponse download(String key, @Nullable BlobRange range, Received body) {
        return container
                .getBlobClient(key)
                .downloadStreamWithResponse(
                        body,
                        range,
                        new DownloadRetryOptions().setMaxRetryRequests(0),
                        null,
                        false,
                        null,
                        Context.NONE);
    }

    /// All of an object; empty if there is none.
    Optional<byte[]> whole(String name, String key) {
        String what = "cannot read '" + name + "'";
        return failures.asked(
                what,
                () -> {
                    try {
                        Received body = new Received(Integer.MAX_VALUE - 8);
                        BlobDownloadResponse answer = download(key, null, body);
                        Long told = answer.getDeserializedHeaders().getContentLength();
                        if (told == null || body.more || body.count != told) {
                            ObjectStore.wholeLength(name, told == null ? 0 : told);
                            throw cut(name, body.count, told);
                        }
                        return Optional.of(body.all());
                    } catch (BlobStorageException answered) {
                        if (Failures.isNoBlob(answered)) {
                            return Optional.empty();
                        }
                        throw failures.translate(what, answered);
                    }
                });
    }

    private MainstayException cut(String name, int received, @Nullable Long wanted) {
        return BrokenConnection.told(
                "cannot read '" + name + "'",
                place.url(),
                new IOException("the answer ended after " + received + " of " + wanted + " bytes"),
                Failures.SERVER_SETTINGS);
    }

    /// What was asked for, and nothing else: a server may ignore the range, or send what there is of
    /// it.
    private byte[] whole(
            String name, Received body, Optional<String> told, long offset, int length) {
        if (body.more || told.map(range -> !range.startsWith("bytes " + offset + "-")).orElse(offset != 0)) {
            throw new MainstayException(
                    ErrorCode.STORE_REFUSED,
                    "cannot read '"
                            + name
                            + "': the server ignores ranges (asked for "
                            + length
                            + " bytes from "
                            + offset
                            + ", answered '"
                            + told.orElse("")
                            + "')",
                    "use a server that supports ranges of bytes",
                    null);
        }
        if (body.count == length) {
            return body.all();
        }
        Optional<Long> size = told.flatMap(ByteRanges::size);
        if (size.isPresent() && size.get() < offset + length) {
            throw ByteRanges.tooShort(name, size, offset, length);
        }
        throw cut(name, body.count, (long) length);
    }

    Optional<Long> size(String name, String key) {
        String what = "cannot look for '" + name + "'";
        return failures.asked(
                what,
                () -> {
                    try {
                        return Optional.of(container.getBlobClient(key).getProperties().getBlobSize());
                    } catch (BlobStorageException answered) {
                        if (Failures.isNoBlob(answered)) {
                            return Optional.empty();
                        }
                        throw failures.translate(what, answered);
                    }
                });
    }

    /// Keeps as much as was asked for, and knows whether more came. Grows with what comes: more may
    /// be asked for than there is.
    private static final class Received extends OutputStream {
        private static final int FIRST = 4 << 20;

        private final int wanted;
        private byte[] bytes;
        private int count;
        private boolean more;

        Received(int wanted) {
            this.wanted = wanted;
            this.bytes = new byte[Math.min(wanted, FIRST)];
        }

        @Override
        public void write(int single) {
            write(new byte[] {(byte) single}, 0, 1);
        }

        @Override
        public void write(byte[] source, int offset, int length) {
            int kept = Math.min(length, wanted - count);
            if (kept > bytes.length - count) {
                long roomier = Math.max(2L * bytes.length, (long) count + kept);
                bytes = Arrays.copyOf(bytes, (int) Math.min(wanted, roomier));
            }
            System.arraycopy(source, offset, bytes, count, kept);
            count += kept;
            more |= kept < length;
        }

        byte[] all() {
            return bytes.length == count ? bytes : Arrays.copyOf(bytes, count);
        }
    }
}

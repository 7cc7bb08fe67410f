package dev.mainstay.storage.s3;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.remote.ByteRanges;

import org.jspecify.annotations.Nullable;

import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.S3Exception;

import java.io.IOException;
import java.util.Optional;

/// Ranges and sizes of objects.
final class S3Reads {
    private final S3Client client;
    private final String bucket;
    private final Failures failures;
    private volatile boolean sawLock;

    S3Reads(S3Client client, String bucket, Failures failures) {
        this.client = client;
        this.bucket = bucket;
        this.failures = failures;
    }

    /// @param length more than 0
    byte[] range(String name, String key, long offset, int length) {
        return range(name, key, null, offset, length);
    }

    /// @param version which one; without it the newest
    /// @param length more than 0
    byte[] range(String name, String key, @Nullable String version, long offset, int length) {
        try (Abortable body = new Abortable(open(key, version, offset, length))) {
            GetObjectResponse head = body.stream.response();
            demandRange(name, head, offset, length);
            byte[] bytes = body.stream.readNBytes(length);
            if (bytes.length < length) {
                throw cut(name, bytes.length, length, null);
            }
            body.done = true;
            return bytes;
        } catch (S3Exception answered) {
            if (answered.statusCode() == 416) {
                throw ByteRanges.tooShort(name, Optional.empty(), offset, length);
            }
            if (Failures.isNoKey(answered)) {
                throw ByteRanges.missing(name, answered);
            }
            throw failures.translate("cannot read '" + name + "'", answered);
        } catch (SdkException failed) {
            throw failures.translate("cannot read '" + name + "'", failed);
        } catch (IOException broken) {
            throw failures.broken("cannot read '" + name + "'", broken);
        }
    }

    private ResponseInputStream<GetObjectResponse> open(
            String key, @Nullable String version, long offset, int length) {
        String range = "bytes=" + offset + "-" + (offset + length - 1);
        return client.getObject(
                request -> request.bucket(bucket).key(key).versionId(version).range(range));
    }

    /// All of the newest version; empty if there is no such object.
    Optional<byte[]> whole(String name, String key) {
        try (Abortable body =
                new Abortable(client.getObject(request -> request.bucket(bucket).key(key)))) {
            GetObjectResponse head = body.stream.response();
            if (head.objectLockMode() != null) {
                sawLock = true;
            }
            Long told = head.contentLength();
            if (told == null) {
                throw new IOException("the server does not say how long the object is");
            }
            int length = ObjectStore.wholeLength(name, told);
            byte[] bytes = body.stream.readNBytes(length);
            if (bytes.length < length) {
                throw cut(name, bytes.length, length, null);
            }
            body.done = true;
            return Optional.of(bytes);
        } catch (S3Exception answered) {
            if (Failures.isNoKey(answered)) {
                return Optional.empty();
            }
            throw failures.translate("cannot read '" + name + "'", answered);
        } catch (SdkException failed) {
            throw failures.translate("cannot read '" + name + "'", failed);
        } catch (IOException broken) {
            throw failures.broken("cannot read '" + name + "'", broken);
        }
    }

    /// Closes a body; what was not read to its end is not fetched for nothing.
    private static final class Abortable implements AutoCloseable {
        private final ResponseInputStream<GetObjectResponse> stream;
        private boolean done;

        Abortable(ResponseInputStream<GetObjectResponse> stream) {
            this.stream = stream;
        }

        @Override
        public void close() throws IOException {
            if (!done) {
                stream.abort();
            }
            stream.close();
        }
    }

    /// A server may ignore the range, or send what there is of it.
    private void demandRange(String name, GetObjectResponse head, long offset, int length) {
        String told = head.contentRange();
        if (told == null ? offset != 0 : !told.startsWith("bytes " + offset + "-")) {
            throw new MainstayException(
                    ErrorCode.STORE_REFUSED,
                    "cannot read '"
                            + name
                            + "': the server ignores ranges (asked from "
                            + offset
                            + ", answered '"
                            + told
                            + "')",
                    "use a server that supports ranges of bytes",
                    null);
        }
        Long sent = head.contentLength();
        if (sent != null && sent < length) {
            throw ByteRanges.tooShort(name, Optional.of(offset + sent), offset, length);
        }
    }

    private MainstayException cut(
            String name, int received, int length, @Nullable Throwable cause) {
        return failures.broken(
                "cannot read '" + name + "'",
                new IOException(
                        "the answer ended after " + received + " of " + length + " bytes", cause));
    }

    /// Whether an object that was looked for is locked.
    boolean sawLock() {
        return sawLock;
    }

    Optional<Long> size(String name, String key) {
        try {
            HeadObjectResponse head =
                    client.headObject(request -> request.bucket(bucket).key(key));
            if (head.objectLockMode() != null) {
                sawLock = true;
            }
            return Optional.of(head.contentLength());
        } catch (S3Exception answered) {
            if (answered.statusCode() >= 500) {
                throw failures.translate("cannot look for '" + name + "'", answered);
            }
            return sizeByReading(name, key);
        } catch (SdkException failed) {
            throw failures.translate("cannot look for '" + name + "'", failed);
        }
    }

    /// An answer to HEAD has no body, so 404 may mean that the whole bucket is gone, and 403
    /// anything. An answer to GET says which.
    private Optional<Long> sizeByReading(String name, String key) {
        try (Abortable body = new Abortable(open(key, null, 0, 1))) {
            String range = body.stream.response().contentRange(); // bytes 0-0/SIZE
            int slash = range == null ? -1 : range.lastIndexOf('/');
            return Optional.of(
                    range == null || slash < 0
                            ? body.stream.response().contentLength()
                            : Long.parseLong(range.substring(slash + 1)));
        } catch (S3Exception answered) {
            if (Failures.isNoKey(answered)) {
                return Optional.empty();
            }
            if (answered.statusCode() == 416) {
                return Optional.of(0L);
            }
            throw failures.translate("cannot look for '" + name + "'", answered);
        } catch (SdkException failed) {
            throw failures.translate("cannot look for '" + name + "'", failed);
        } catch (IOException broken) {
            throw failures.broken("cannot look for '" + name + "'", broken);
        } catch (NumberFormatException unclear) {
            throw failures.broken("cannot look for '" + name + "'", new IOException(unclear));
        }
    }
}
